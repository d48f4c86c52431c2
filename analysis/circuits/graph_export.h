// A circuit's edges as other programs read them, from a result of edge-attribution or circuit.
#pragma once

#include <string>

#include "analysis/core/dataset.h"

namespace varve {

// source,target,input,score,in_circuit: one edge a line; input is q, k, v or empty.
std::string edges_csv(const Dataset& result);
// {"cfg": ..., "nodes": {"a0.h1": {"in_graph": true}}, "edges": {"a0.h1->a1.h3<q>": {"score": 0.5,
// "in_graph": true}}}, as the EAP-IG authors' library saves its graphs.
std::string eap_graph_json(const Dataset& result);
// metadata, nodes, links and qParams, as viewers of attribution graphs read them; the circuit's edges, or all
// with a score where none was chosen. Queries, keys and values of a head are one node.
std::string attribution_graph_json(const Dataset& result);

}  // namespace varve
