// Dominators, loops and merges of a region's graph, as its structured code needs them.

import { isTrap, type RegionNode } from './graph.ts';

export const successors = (n: RegionNode): RegionNode[] => {
  const out: RegionNode[] = [];
  if (n.next) out.push(n.next);
  if (n.taken && n.taken !== n.next) out.push(n.taken);
  out.push(...n.guesses);
  return out;
};

function postOrder(entry: RegionNode): RegionNode[] {
  const out: RegionNode[] = [];
  const seen = new Set<RegionNode>([entry]);
  const visit = (n: RegionNode): void => {
    for (const s of successors(n))
      if (!seen.has(s)) {
        seen.add(s);
        visit(s);
      }
    out.push(n);
  };
  visit(entry);
  return out;
}

function meet(a: RegionNode, b: RegionNode): RegionNode {
  let x = a;
  let y = b;
  while (x !== y) {
    while (x.order > y.order) x = x.idom!;
    while (y.order > x.order) y = y.idom!;
  }
  return x;
}

function dominates(a: RegionNode, b: RegionNode): boolean {
  for (let n = b; ; n = n.idom!) {
    if (n === a) return true;
    if (n === n.idom) return false;
  }
}

/** An edge into the middle of a loop: it leaves the region. */
export const isIrreducible = (from: RegionNode, to: RegionNode): boolean => to.order <= from.order && !dominates(to, from);

/** Fills the analysis fields of the nodes that the entry reaches; they come in reverse postorder. (Cooper, Harvey, Kennedy: A simple,
 * fast dominance algorithm.) */
export function analyse(entry: RegionNode): RegionNode[] {
  const order = postOrder(entry).reverse();
  order.forEach((n, i) => {
    n.order = i;
  });
  for (const n of order) for (const s of successors(n)) s.predecessors.push(n);
  entry.idom = entry;
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of order) {
      if (n === entry) continue;
      let idom: RegionNode | null = null;
      for (const p of n.predecessors) if (p.idom) idom = idom ? meet(p, idom) : p;
      if (n.idom !== idom) {
        n.idom = idom;
        changed = true;
      }
    }
  }
  for (const n of order) {
    if (n !== entry) n.idom!.children.push(n);
    for (const s of successors(n)) {
      if (s.order > n.order) s.forward++;
      else if (dominates(s, n)) s.loop = true;
    }
  }
  for (let i = order.length - 1; i >= 0; i--) {
    const n = order[i]!;
    let behind = 0;
    for (const s of successors(n)) if (s.order > n.order && !s.loop) behind = Math.max(behind, s.slack);
    n.slack = n.steps.length + (isTrap(n.ending) ? 1 : 0) + behind;
  }
  return order;
}
