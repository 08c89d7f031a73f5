#!/bin/sh
# Speech-to-motion from a corpus folder to labial/speech/motion_v1.onnx.
#   training/recipes/motion.sh CORPUS model.bin.part2 [SPEECH]
# About two and a half hours on two idle cores; TOY=1 runs every step in minutes, to see that it works.
set -eu
cd "$(dirname "$0")/.."
steps=${TOY:+20}
python corpus.py "$1" 0 2 & python corpus.py "$1" 1 2; wait
python basis.py
python motion_data.py
# First pass without offsets or a teacher: good enough to find each clip's A/V offset.
python motion.py train --name first --steps "${steps:-700}"
python motion.py offsets --name first
python teacher.py features "$2" ${3:+"$3"}
# The features alone first, then with the teacher's motion, then once more with a low rate.
python motion.py train --name second --steps "${steps:-500}"
python teacher.py motion
python motion.py train --name third --begin-with second --steps "${steps:-1400}" --rate 1.5e-3
python motion.py train --name fourth --begin-with third --steps "${steps:-600}" --rate 1.2e-3 --seed 1
python motion.py train --name fifth --begin-with fourth --steps "${steps:-2400}" --rate 1.5e-3 --seed 2
python motion.py export --name fifth
python evaluate.py motion
