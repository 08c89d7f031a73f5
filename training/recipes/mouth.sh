#!/bin/sh
# From a corpus of talking clips to labial/render/interior_v1.onnx and labial/render/refine_v1.onnx.
#   training/recipes/mouth.sh CORPUS
# CORPUS: see corpus.py. About an hour on two idle cores with bf16; every step may be stopped and run
# again. TOY=1 runs every step in minutes, to see that it works.
set -eu
cd "$(dirname "$0")/../.."
run() { name=$1; shift; python -m "training.$name" "$@"; }
toy() { if [ -n "${TOY:-}" ]; then echo "$1"; else echo "$2"; fi; }
run pictures "$1" 0 2 & run pictures "$1" 1 2; wait
run paint interior --name interior --all --minutes "$(toy 1 15)"
run paint refine --name refine --interior interior --all --minutes "$(toy 1 35)"
run paint refine --name longer --begin-with refine --interior interior --all --minutes "$(toy 1 15)"
run paint mean mean refine longer
run paint export interior labial/render/interior_v1.onnx
run paint export mean labial/render/refine_v1.onnx
run evaluate mouth "$1" --sheets training/cache/sheets
