/** Rows in columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A term and its value a line; what is undefined is left out. */
export function facts(pairs: Readonly<Record<string, string | number | bigint | undefined>>): string {
  return table(
    Object.entries(pairs)
      .filter(([, item]) => item !== undefined)
      .map(([term, item]) => [term, String(item)]),
  )
}

/** `1 cell`, `2 cells`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** An epoch, and when it is over. */
export function epochUntil(epoch: number, endSeconds: number): string {
  return `epoch ${epoch} (${moment(endSeconds)})`
}

/** Unix seconds as a date that anyone can read, in UTC. */
export function moment(unixSeconds: number | bigint): string {
  return new Date(Number(unixSeconds) * 1_000).toISOString().replace('.000Z', 'Z')
}
