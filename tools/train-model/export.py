"""Weights and vocabulary to a GGUF file that llama.cpp loads: matrices in q8_0 (34 bytes for 32 weights), norms in f32."""

import json
from pathlib import Path

import gguf
import numpy as np

from model import Shape
from vocabulary import END, START


def write(path: Path, shape: Shape, weights: dict, tokenizer) -> None:
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("CamelidCoin embedded")
    writer.add_description("Tales in the manner of Austen, Carroll, Chesterton and Edgeworth; trained by tools/train-model")
    writer.add_license("CC0-1.0")
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_block_count(shape.layers)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    write_vocabulary(writer, tokenizer)
    for name, values in weights.items():
        values = np.asarray(values, np.float32)
        if values.ndim == 1:
            writer.add_tensor(f"{name}.weight", values)
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(f"{name}.weight", gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_vocabulary(writer, tokenizer) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    special = {START, END}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL if t in special else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(m) if isinstance(m, list) else m for m in model["merges"]])
    writer.add_bos_token_id(model["vocab"][START])
    writer.add_eos_token_id(model["vocab"][END])
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
