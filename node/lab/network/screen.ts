/** Where the live view goes. */
export interface Terminal {
  readonly isTty: boolean
  /** Characters across and lines down; looked at anew for every picture. */
  size(): { readonly columns: number; readonly rows: number }
  write(text: string): void
}

const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

/** Draws lines over the ones it drew before. It never scrolls: what does not fit is left out at the bottom. */
export class Screen {
  readonly #terminal: Terminal
  #drawn = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  draw(lines: readonly string[]): void {
    const { columns, rows } = this.#terminal.size()
    const fitting = lines.slice(0, Math.max(1, rows - 1)).map((line) => cut(line, columns))
    const up = this.#drawn === 0 ? HIDE_CURSOR : `\x1b[${this.#drawn}A\r`
    this.#terminal.write(`${up}${fitting.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`)
    this.#drawn = fitting.length
  }

  /** Gives the cursor back and leaves the last picture standing. */
  end(): void {
    if (this.#drawn > 0) this.#terminal.write(SHOW_CURSOR)
    this.#drawn = 0
  }
}

/** The first `columns` visible characters of a line; colours count nothing and end with it. */
export function cut(line: string, columns: number): string {
  let visible = 0
  let out = ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
  for (const part of line.match(/\x1b\[[0-9;]*m|[\s\S]/gu) ?? []) {
    if (part.length > 1 && part.startsWith('\x1b')) out += part
    else if (++visible <= columns) out += part
  }
  return visible > columns && out.includes('\x1b') ? `${out}\x1b[0m` : out
}
