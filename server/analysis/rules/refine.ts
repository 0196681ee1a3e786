// What a rule of its own behaviour may say about one instruction, beyond its row in the catalogue.

import type { Severity } from '../finding.ts';
import type { Hit, Site } from '../site.ts';

export interface Refinement {
  /** Put before the catalogue's words. */
  readonly message?: string;
  readonly replacement?: string;
  readonly severity?: Severity;
}

/** 'drop': no finding after all. Null: the catalogue's row as it is. `text`: the whole source. */
export type Refine = (hit: Hit, site: Site, constants: ReadonlyMap<string, string>, text: string) => Refinement | 'drop' | null;
