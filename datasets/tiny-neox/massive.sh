#!/bin/bash
# Every figure about massive activations that this series can give: measured, fitted, predicted, taken away.
#   massive.sh VARVE OUT [TOKENS] [CURVES.jsonl ...]
# VARVE is the program, OUT a folder to make, TOKENS an array of token ids (FILE.npz:NAME) in the place of the ten
# short texts below. CURVES are logs of spikes by layer; with them several models are compared and predicted from.
set -euo pipefail
varve=$1
out=$2
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
tokens=${3:-}
shift $(($# < 3 ? $# : 3))
mkdir -p "$out"
store=$out/tiny-neox.varve

probes=(--tokens "$tokens")
if [ -z "$tokens" ]; then
  probes=()
  while read -r line; do probes+=(--text "$line"); done <<'END'
The king said to the queen that the night was long and the road to the sea was longer, and she answered him with a song about the sea.
What news from the north, my lord? None that is good, and much that is bad, for the river has risen and the bridge is gone.
def add(first, second): return first + second  # the sum of two numbers, as anybody would write it in a hurry
for index in range(10): print(index, index * index, index * index * index) if index % 2 == 0 else None
Mary has 12 apples and gives 5 of them to John. John eats 2 of his apples. How many apples have they together? They have 10.
A train goes 60 miles in one hour and stops for 15 minutes. After 4 hours and 15 minutes it has gone 60 * 4 = 240 miles.
Population: 5,120,000 (July 2015 est.); Area: total 323,802 sq km; Coastline: 25,148 km; Climate: temperate along the coast
Exports: petroleum, gas, machinery, metals, chemicals, ships, fish. Imports: machinery, chemicals, metals, foodstuffs
O gentle night, that hides the thief and friend alike, be kind to me, and show me where the path goes down to the water.
class Node: def __init__(self, value, next=None): self.value = value; self.next = next; self.seen = False
END
fi
plot() { "$varve" --quiet plot "$@"; }

"$varve" --quiet import "$here" -o "$store" >/dev/null
"$varve" --quiet run massive-activations "$store" "${probes[@]}" -o "$out/series.h5" >"$out/series.txt"
"$varve" --quiet run massive-activation-fit "$store" "${probes[@]}" -o "$out/fit.h5" >"$out/fit.txt"
"$varve" --quiet run massive-activation-intervention "$store" "${probes[@]}" -o "$out/intervention.h5" >"$out/intervention.txt"
cell=$("$varve" --quiet --json run massive-activations "$store" "${probes[@]}" --steps last |
  grep -o '"[^"]*results/massive-activations/[^"]*"' | head -1 | tr -d '"')

# 1: the largest sizes and the median by layer, first and last checkpoint
for step in 0 7000; do
  plot "$out/series.h5" --view lines --set array=top1,top2,top3,median --set x=layer --set log=true \
    --select step=$step -o "$out/1-sizes-step$step.png"
done
# 2: the ratio over training, by layer, as lines and as a map
plot "$out/series.h5" --view lines --set array=ratio -o "$out/2-ratio.png"
plot "$out/series.h5" --view heat-map --set array=ratio --set log=true -o "$out/2-ratio-map.png"
# 3: fits over their points
for layer in 0 1 2 3; do
  plot "$out/fit.h5" --view lines --set array=ratio --set series=none --select layer=$layer \
    -o "$out/3-fit-L$layer.png"
done
plot "$out/fit.h5" --view lines --set array=ratio -o "$out/3-fit.png"
# 5: how well each curve fits each layer
plot "$out/fit.h5" --view heat-map --set array=ratio_r2 -o "$out/5-r2.png"
plot "$out/fit.h5" --view heat-map --set array=ratio_aic_above -o "$out/5-aic.png"
# 7: where a peak lies for given lambda and gamma
plot "$out/fit.h5" --view heat-map --set array=peak_surface --set log=true -o "$out/7-peak-surface.png"
# 8: how much sequences differ
plot "$out/series.h5" --view heat-map --set array=ratio_cv -o "$out/8-cv.png"
plot "$out/series.h5" --view heat-map --set array=ratio_sem -o "$out/8-sem.png"
# 10: one sequence, token by feature
plot "$cell" --view heat-map --set array=magnitude --set x=d_model --set y=pos --select layer=3 -o "$out/10-token-feature.png"
# 11: what taking them away costs
plot "$out/intervention.h5" --view lines --set array=increase --set series=change -o "$out/11-increase.png"
plot "$out/intervention.h5" --view heat-map --set array=perplexity --set x=step --set y=change -o "$out/11-perplexity.png"
# beside it: sinks, drains, how long a feature stays the largest
for array in sink value_drain top_dim_kept; do
  plot "$out/series.h5" --view lines --set array=$array -o "$out/beside-$array.png"
done

# 4, 5, 6: several stores side by side
models=(--with "fit.tiny-neox=$out/fit.h5")
other=$here/../tiny-olmoe
if [ -d "$other/step0" ]; then
  "$varve" --quiet import "$other" -o "$out/tiny-olmoe.varve" >/dev/null
  "$varve" --quiet run massive-activation-fit "$out/tiny-olmoe.varve" "${probes[@]}" -o "$out/fit-olmoe.h5" >"$out/fit-olmoe.txt"
  plot "$out/fit-olmoe.h5" --view lines --set array=ratio -o "$out/3-fit-olmoe.png"
  models+=(--with "fit.tiny-olmoe=$out/fit-olmoe.h5")
fi
"$varve" --quiet run massive-activation-models "$store" "${models[@]}" -o "$out/models.h5" >"$out/models.txt"
for array in peak_step peak_value r2 last; do
  plot "$out/models.h5" --view heat-map --set array=$array -o "$out/4-$array.png"
done
plot "$out/models.h5" --view scatter --set x=parameters --set y=final_ratio --set log_x=true -o "$out/6-final-ratio.png"

# 9: parameters from architecture, learned from the fits of CURVES, under the names of their files
[ $# -gt 0 ] || exit 0
fits=()
for curves in "$@"; do
  name=$(basename "$curves" .jsonl)
  "$varve" --quiet run massive-activation-fit "$store" --with "curves=$curves" --set arrays=spike \
    -o "$out/fit-$name.h5" >"$out/fit-$name.txt"
  plot "$out/fit-$name.h5" --view lines --set array=spike --set steps=linear -o "$out/3-fit-$name.png"
  fits+=(--with "fit.$name=$out/fit-$name.h5")
done
"$varve" --quiet run massive-activation-models "$store" "${fits[@]}" --set array=spike -o "$out/models-curves.h5" >"$out/models-curves.txt"
for array in peak_step peak_value r2; do
  plot "$out/models-curves.h5" --view heat-map --set array=$array -o "$out/4-curves-$array.png"
done
plot "$out/models-curves.h5" --view scatter --set x=block_weights --set y=final_spike --set log_x=true --set log_y=true \
  -o "$out/6-final-spike.png"
"$varve" --quiet run massive-activation-predict "$store" "${fits[@]}" --set array=spike \
  --set "config=$here/step0/config.json" -o "$out/predict.h5" >"$out/predict.txt"
for array in r2_random r2_model_out coverage; do
  plot "$out/predict.h5" --view heat-map --set array=$array -o "$out/9-$array.png"
done
plot "$out/predict.h5" --view heat-map --set array=importance --set x=feature --set y=parameter -o "$out/9-importance.png"
plot "$out/predict.h5" --view lines --set array=predicted_curve -o "$out/9-predicted.png"
