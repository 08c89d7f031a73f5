#!/bin/sh
# From a corpus of talking clips to labial/face/cover_v1.onnx.
#   training/recipes/cover.sh CORPUS
# CORPUS: see corpus.py. About 40 minutes on one idle core. TOY=1 runs every step in minutes, to see
# that it works.
set -eu
cd "$(dirname "$0")/../.."
run() { name=$1; shift; python -m "training.$name" "$@"; }
toy() { if [ -n "${TOY:-}" ]; then echo "$1"; else echo "$2"; fi; }
run corpus "$1"
run cover_views "$1"
for part in a b c d e f g h i j; do run cover_lessons "$(toy 100 3000)" "$part"; done
run cover_lessons "$(toy 100 2000)" held --held-out
run cover train cover --minutes "$(toy 1 25)"
run cover train longer --begin-with cover --minutes "$(toy 1 10)"
run cover mean mean cover longer
run cover export mean labial/face/cover_v1.onnx
run cover_report "$1"
