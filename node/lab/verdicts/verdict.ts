/** One thing a scenario promises, and whether its transcript keeps it. */
export interface Finding {
  readonly promise: string
  readonly kept: boolean
  /** What the transcript says about it. */
  readonly detail: string
}

export interface Verdict {
  /** Whether every promise was kept. */
  readonly kept: boolean
  readonly findings: readonly Finding[]
}

export function finding(promise: string, kept: boolean, detail: string): Finding {
  return { promise, kept, detail }
}

/** A verdict without findings promises nothing, and so is not kept. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  return { kept: findings.length > 0 && findings.every(({ kept }) => kept), findings }
}
