"""A llama in JAX: RMS norm, rotary positions on adjacent pairs, SwiGLU, output tied to the embedding.

Weights are kept as GGUF names them and in its orientation (rows are outputs), so that the export is a copy.
Adjacent pairs are what llama.cpp rotates for this architecture: nothing has to be permuted.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp


@dataclass(frozen=True)
class Shape:
    vocabulary: int = 1024
    width: int = 128
    feed_forward: int = 384
    layers: int = 4
    heads: int = 4
    context: int = 2048  # declared; trained on pieces of train.PIECE tokens
    epsilon: float = 1e-5
    rope_base: float = 10000.0


def initial(shape: Shape, key) -> dict:
    width, inner = shape.width, shape.feed_forward
    weights = {"token_embd": 0.02 * jax.random.normal(key, (shape.vocabulary, width)), "output_norm": jnp.ones(width)}
    for layer in range(shape.layers):
        matrices = {
            "attn_q": (width, width),
            "attn_k": (width, width),
            "attn_v": (width, width),
            "attn_output": (width, width),
            "ffn_gate": (inner, width),
            "ffn_up": (inner, width),
            "ffn_down": (width, inner),
        }
        for name, dimensions in matrices.items():
            key, used = jax.random.split(key)
            scale = dimensions[1] ** -0.5
            if name in ("attn_output", "ffn_down"):
                scale /= (2 * shape.layers) ** 0.5
            weights[f"blk.{layer}.{name}"] = scale * jax.random.normal(used, dimensions)
        weights[f"blk.{layer}.attn_norm"] = jnp.ones(width)
        weights[f"blk.{layer}.ffn_norm"] = jnp.ones(width)
    return weights


def logits(shape: Shape, weights: dict, tokens):
    """tokens [batch, length] -> logits [batch, length, vocabulary]."""
    batch, length = tokens.shape
    head = shape.width // shape.heads
    cosine, sine = rotation(shape, length, head)
    causal = jnp.tril(jnp.ones((length, length), bool))

    def norm(x, name):
        return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + shape.epsilon) * weights[name]

    def heads(x):
        return x.reshape(batch, length, shape.heads, head).transpose(0, 2, 1, 3)

    x = weights["token_embd"][tokens]
    for layer in range(shape.layers):
        w = {name: weights[f"blk.{layer}.{name}"] for name in
             ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")}
        y = norm(x, f"blk.{layer}.attn_norm")
        query = rotate(heads(y @ w["attn_q"].T), cosine, sine)
        keys = rotate(heads(y @ w["attn_k"].T), cosine, sine)
        values = heads(y @ w["attn_v"].T)
        scores = query @ keys.transpose(0, 1, 3, 2) * head**-0.5
        attended = jax.nn.softmax(jnp.where(causal, scores, -1e9), -1) @ values
        x = x + attended.transpose(0, 2, 1, 3).reshape(batch, length, shape.width) @ w["attn_output"].T
        y = norm(x, f"blk.{layer}.ffn_norm")
        x = x + (jax.nn.silu(y @ w["ffn_gate"].T) * (y @ w["ffn_up"].T)) @ w["ffn_down"].T
    return norm(x, "output_norm") @ weights["token_embd"].T


def rotation(shape: Shape, length: int, head: int):
    frequency = shape.rope_base ** (-jnp.arange(0, head, 2) / head)
    angle = jnp.arange(length)[:, None] * frequency[None, :]
    return jnp.cos(angle), jnp.sin(angle)


def rotate(x, cosine, sine):
    even, odd = x[..., 0::2], x[..., 1::2]
    return jnp.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1).reshape(x.shape)


def loss(shape: Shape, weights: dict, tokens):
    """Mean cross entropy per token, in nats."""
    scores = logits(shape, weights, tokens[:, :-1])
    chosen = jnp.take_along_axis(scores, tokens[:, 1:, None], -1)[..., 0]
    return jnp.mean(jax.nn.logsumexp(scores, -1) - chosen)
