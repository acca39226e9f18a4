"""Trains the embedded model: `python train.py --out DIR --steps N`, on any number of cores.

Resumes from the newest checkpoint in DIR. The learning rate warms up, holds, and falls to zero over the last
third of the steps, so that a run that proves too slow can be resumed with fewer steps.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import corpus
import export
import model
import vocabulary

PIECE, BATCH = 512, 8  # tokens a sequence, sequences a step
WARM_UP_STEPS, FALL = 50, 0.35
HELD_OUT = 60  # documents kept out of training, for the reported loss
CHECKPOINT_EVERY = 20


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--steps", type=int, default=2400)
    arguments.add_argument("--seed", type=int, default=1)
    arguments = arguments.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)

    texts = corpus.documents(arguments.out)
    tokenizer = vocabulary.load_or_train(arguments.out / "tokenizer.json", texts)
    shape = model.Shape(vocabulary=tokenizer.get_vocab_size())
    held_out, kept = stream(tokenizer, texts[:HELD_OUT]), stream(tokenizer, texts[HELD_OUT:])
    report(f"{len(texts)} documents, {len(kept)} tokens to train on, {len(held_out)} held out", arguments.out)

    optimizer = make_optimizer(arguments.steps)
    weights, state, first = restore(arguments.out, shape, optimizer, arguments.seed)
    report(f"{sum(w.size for w in weights.values())} parameters, from step {first} of {arguments.steps}", arguments.out)

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(weights, state, tokens):
        loss, gradient = jax.value_and_grad(partial(model.loss, shape))(weights, tokens)
        updates, state = optimizer.update(gradient, state, weights)
        return optax.apply_updates(weights, updates), state, loss

    evaluate = jax.jit(partial(model.loss, shape))
    started, seen = time.monotonic(), []
    for number in range(first, arguments.steps):
        weights, state, loss = step(weights, state, batch(kept, arguments.seed, number))
        seen.append(float(loss))
        done = number + 1
        if done % CHECKPOINT_EVERY == 0 or done == arguments.steps:
            checked = float(evaluate(weights, pieces(held_out)))
            speed = len(seen) * PIECE * BATCH / (time.monotonic() - started)
            report(f"step {done}  loss {np.mean(seen):.3f}  held out {checked:.3f}  {speed:.0f} tokens/s", arguments.out)
            save(arguments.out, weights, state, done)
            export.write(arguments.out / "embedded.gguf", shape, weights, tokenizer)
            started, seen = time.monotonic(), []


def stream(tokenizer, texts: list[str]) -> np.ndarray:
    """Documents one after the other, each between a start and an end token."""
    start, end = tokenizer.token_to_id(vocabulary.START), tokenizer.token_to_id(vocabulary.END)
    return np.concatenate([[start, *encoded.ids, end] for encoded in tokenizer.encode_batch(texts)]).astype(np.int32)


def pieces(tokens: np.ndarray):
    count = (len(tokens) - 1) // PIECE
    return jnp.asarray(tokens[: count * PIECE].reshape(count, PIECE))


def batch(tokens: np.ndarray, seed: int, number: int):
    """Random windows; a function of (seed, step), so that a resumed run sees what an unbroken one would.
    Half of the windows begin where a document does, as every prompt will."""
    rng = np.random.default_rng((seed, number))
    starts = rng.integers(0, len(tokens) - PIECE - 1, BATCH)
    for i in range(0, BATCH, 2):
        while tokens[starts[i]] != 0 and starts[i] > 0:
            starts[i] -= 1
    return jnp.asarray(np.stack([tokens[s : s + PIECE + 1] for s in starts]))


def make_optimizer(steps: int):
    """Muon for the matrices of the layers, Adam for the embedding and the norms."""
    def schedule(peak):
        fall = int(steps * FALL)
        return optax.join_schedules(
            [optax.linear_schedule(0, peak, WARM_UP_STEPS), optax.constant_schedule(peak), optax.linear_schedule(peak, 0, fall)],
            [WARM_UP_STEPS, steps - fall],
        )

    def labels(weights):
        return {n: "matrix" if w.ndim == 2 and n.startswith("blk.") else "other" for n, w in weights.items()}

    return optax.multi_transform(
        {"matrix": optax.contrib.muon(schedule(0.02), weight_decay=0.0), "other": optax.adam(schedule(0.004), b2=0.98)}, labels
    )


def save(out: Path, weights, state, step: int) -> None:
    leaves = {f"leaf{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves((weights, state)))}
    temporary = out / "checkpoint.tmp.npz"
    np.savez(temporary, step=step, **leaves)
    temporary.rename(out / "checkpoint.npz")


def restore(out: Path, shape, optimizer, seed: int):
    weights = model.initial(shape, jax.random.key(seed))
    state = optimizer.init(weights)
    path = out / "checkpoint.npz"
    if not path.exists():
        return weights, state, 0
    saved = np.load(path)
    leaves, structure = jax.tree.flatten((weights, state))
    restored = [jnp.asarray(saved[f"leaf{i}"]) for i in range(len(leaves))]
    weights, state = jax.tree.unflatten(structure, restored)
    return weights, state, int(saved["step"])


def report(line: str, out: Path) -> None:
    print(line, flush=True)
    with (out / "training.log").open("a") as log:
        log.write(line + "\n")


if __name__ == "__main__":
    main()
