#!/bin/sh
# Speech-to-motion from a corpus folder to labial/speech/motion_v1.onnx.
#   training/recipes/motion.sh CORPUS model.bin.part2 [SPEECH]
# About two hours on two idle cores; TOY=1 runs every step in minutes, to see that it works.
set -eu
cd "$(dirname "$0")/.."
steps=${TOY:+20}
python corpus.py "$1" 0 2 & python corpus.py "$1" 1 2; wait
python basis.py
python motion_data.py
# First pass without offsets or a teacher: good enough to find each clip's A/V offset.
python motion.py train --name first --steps "${steps:-700}"
python motion.py offsets --name first
python teacher.py "$2" ${3:+"$3"}
python motion.py train --name second --steps "${steps:-1000}"
python motion.py export --name second
python evaluate.py motion
