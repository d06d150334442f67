//! What each family calls the tensors of its layers.
//!
//! Invariant: an empty name stands for a tensor that the family does not have.

use crate::models::encoder::Family;

/// Names of a layer's tensors after its own prefix.
pub(super) struct Names {
    /// Before the layer's number.
    pub(super) layer: &'static str,
    /// The table of words.
    pub(super) words: &'static str,
    pub(super) query: &'static str,
    /// Without a name, queries, keys and values are one tensor, called as the query's.
    pub(super) key: &'static str,
    pub(super) value: &'static str,
    pub(super) out: &'static str,
    /// Norms of a layer's two halves: after them, or before them.
    pub(super) norms: [&'static str; 2],
    pub(super) up: &'static str,
    /// What goes through the activation, where two products gate one another. Without a name both are one tensor, called as `up`.
    pub(super) gate: &'static str,
    pub(super) down: &'static str,
    /// What each value that a half adds is multiplied by.
    pub(super) scales: [&'static str; 2],
    /// Whether what goes through the activation is the second half of one tensor.
    pub(super) swapped: bool,
    /// Whether norms come before the halves of a layer.
    pub(super) before: bool,
    /// Whether products and norms may lack what is added.
    pub(super) bare: bool,
    /// The norm of the states before the first layer.
    pub(super) first_norm: &'static str,
    /// The norm after the last layer, where norms come before.
    pub(super) last_norm: &'static str,
}

const BERT: Names = Names {
    layer: "encoder.layer",
    words: "embeddings.word_embeddings.weight",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    out: "attention.output.dense",
    norms: ["attention.output.LayerNorm", "output.LayerNorm"],
    up: "intermediate.dense",
    gate: "",
    down: "output.dense",
    scales: ["", ""],
    swapped: false,
    before: false,
    bare: false,
    first_norm: "embeddings.LayerNorm",
    last_norm: "",
};

const DISTILBERT: Names = Names {
    layer: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    out: "attention.out_lin",
    norms: ["sa_layer_norm", "output_layer_norm"],
    up: "ffn.lin1",
    down: "ffn.lin2",
    ..BERT
};

const MPNET: Names = Names {
    query: "attention.attn.q",
    key: "attention.attn.k",
    value: "attention.attn.v",
    out: "attention.attn.o",
    norms: ["attention.LayerNorm", "output.LayerNorm"],
    ..BERT
};

const MODERN: Names = Names {
    layer: "layers",
    words: "embeddings.tok_embeddings.weight",
    query: "attn.Wqkv",
    key: "",
    out: "attn.Wo",
    norms: ["attn_norm", "mlp_norm"],
    up: "mlp.Wi",
    down: "mlp.Wo",
    before: true,
    bare: true,
    first_norm: "embeddings.norm",
    last_norm: "final_norm",
    ..BERT
};

const NOMIC: Names = Names {
    layer: "encoder.layers",
    query: "attn.Wqkv",
    key: "",
    out: "attn.out_proj",
    norms: ["norm1", "norm2"],
    up: "mlp.fc11",
    gate: "mlp.fc12",
    down: "mlp.fc2",
    bare: true,
    first_norm: "emb_ln",
    ..BERT
};

const JINA: Names = Names {
    norms: ["attention.output.LayerNorm", "mlp.layernorm"],
    up: "mlp.gated_layers",
    down: "mlp.wo",
    bare: true,
    ..BERT
};

const GTE: Names = Names {
    query: "attention.qkv_proj",
    key: "",
    out: "attention.o_proj",
    norms: ["attn_ln", "mlp_ln"],
    up: "mlp.up_gate_proj",
    down: "mlp.down_proj",
    swapped: true,
    bare: true,
    ..BERT
};

const QWEN3: Names = Names {
    layer: "layers",
    words: "embed_tokens.weight",
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    out: "self_attn.o_proj",
    norms: ["input_layernorm", "post_attention_layernorm"],
    up: "mlp.up_proj",
    gate: "mlp.gate_proj",
    down: "mlp.down_proj",
    before: true,
    bare: true,
    first_norm: "",
    last_norm: "norm",
    ..BERT
};

const CLIP_TEXT: Names = Names {
    layer: "encoder.layers",
    words: "embeddings.token_embedding.weight",
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    out: "self_attn.out_proj",
    norms: ["layer_norm1", "layer_norm2"],
    up: "mlp.fc1",
    down: "mlp.fc2",
    before: true,
    first_norm: "",
    last_norm: "final_layer_norm",
    ..BERT
};

const CLIP_VISION: Names = Names {
    words: "embeddings.patch_embedding.weight",
    // As it is spelt there; SigLIP has none.
    first_norm: "pre_layrnorm",
    last_norm: "post_layernorm",
    ..CLIP_TEXT
};

const VIT: Names = Names {
    words: "embeddings.patch_embeddings.projection.weight",
    query: "attention.attention.query",
    key: "attention.attention.key",
    value: "attention.attention.value",
    norms: ["layernorm_before", "layernorm_after"],
    before: true,
    bare: true,
    first_norm: "",
    last_norm: "layernorm",
    ..BERT
};

const DINO: Names = Names {
    norms: ["norm1", "norm2"],
    up: "mlp.fc1",
    down: "mlp.fc2",
    scales: ["layer_scale1.lambda1", "layer_scale2.lambda1"],
    ..VIT
};

/// DINOv2's largest.
const DINO_GATED: Names = Names { up: "mlp.weights_in", down: "mlp.weights_out", ..DINO };

impl Names {
    pub(super) fn of(family: Family, gated: bool) -> &'static Self {
        match family {
            Family::Bert | Family::Roberta => &BERT,
            Family::DistilBert => &DISTILBERT,
            Family::Mpnet => &MPNET,
            Family::Modern => &MODERN,
            Family::Nomic => &NOMIC,
            Family::Jina => &JINA,
            Family::Gte => &GTE,
            Family::Qwen3 => &QWEN3,
            Family::ClipText => &CLIP_TEXT,
            Family::ClipVision => &CLIP_VISION,
            Family::Vit => &VIT,
            Family::Dino if gated => &DINO_GATED,
            Family::Dino => &DINO,
        }
    }
}
