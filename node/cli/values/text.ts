import { ValueError } from '../option.ts'

/** Any text but none. */
export function parseText(text: string): string {
  if (text === '') throw new ValueError('expected something, got nothing')
  return text
}

/** A reader of one of a few words. */
export function oneOf<const W extends string>(...words: readonly W[]): (text: string) => W {
  return (text) => {
    const found = words.find((word) => word === text)
    if (found === undefined) throw new ValueError(`expected one of ${words.join(', ')}, got ${JSON.stringify(text)}`)
    return found
  }
}

/** The name of a key in the data directory: it becomes a file name. */
export function parseKeyName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(text)) {
    throw new ValueError(
      `expected a key name of 1 to 64 letters a to z, digits and dashes, got ${JSON.stringify(text.slice(0, 80))}`,
    )
  }
  return text
}
