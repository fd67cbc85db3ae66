import { readdirSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, posix, relative } from 'node:path'
import { init, parse } from 'es-module-lexer'

/** The rooms in order: one imports those of earlier rows, never its neighbours in its own. */
const ROWS = [
  ['core'],
  ['statements', 'store'],
  ['chain', 'net'],
  ['dht'],
  ['mesh'],
  ['agents'],
  ['apps'],
  ['api'],
  ['lab'],
  ['cli'],
  ['package'],
] as const

const TOP_FOLDERS = new Set(['contracts', 'docs', 'node', 'scripts', 'test'])
/** What tools write; no source stands there. */
const UNTRACKED = new Set(['node_modules', 'artifacts', 'cache', 'dist', 'types'])
const FACE = 'index.ts'
/** What the published package gives: the only source that stands in no folder. It knows faces, and nobody knows it. */
const PACKAGE_FACE = 'node/index.ts'
/** `import type { A } from`, `export type { A } from`, not `export type A =`. */
const TYPE_IMPORT = /^(import|export) type (?=[{*]|\w+ from\b)/

/** An import of one file by another; paths are relative to the root, with forward slashes. */
interface Edge {
  readonly from: string
  readonly to: string
  /** Types alone: gone at run time. */
  readonly isType: boolean
}

/** Everything that breaks the layout of the tree at `root`, one sentence each. */
export async function brokenRoomRules(root: string): Promise<string[]> {
  await init
  const files = sourcesUnder(root, 'node')
  const edges = files.flatMap((from) => importsOf(root, from))
  return [
    ...strangeFolders(root),
    ...files.filter((file) => roomOf(file) === undefined).map((file) => `${file} stands in no room`),
    ...edges.flatMap(brokenEdge),
    ...cycles(edges.filter(({ isType }) => !isType)),
  ]
}

function strangeFolders(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .filter(({ name }) => !TOP_FOLDERS.has(name) && !UNTRACKED.has(name))
    .map(({ name }) => `${name}/ is no folder of this project`)
}

function sourcesUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|mjs)$/.test(path))
    .map((path) => posix.join(folder, path.replaceAll('\\', '/')))
}

/** Relative imports of `file`, types included. */
function importsOf(root: string, file: string): Edge[] {
  const source = readFileSync(join(root, file), 'utf8')
  if (!file.endsWith('.ts')) return relativeImports(root, file, source, false)
  // The lexer reads JavaScript, and stripping types takes the imports of types away; so those are read apart.
  const [values, types]: [string[], string[]] = [[], []]
  for (const line of source.split(/^(?=(?:import|export)\b)/m)) (TYPE_IMPORT.test(line) ? types : values).push(line)
  return [
    ...relativeImports(root, file, stripTypeScriptTypes(values.join('')), false),
    ...relativeImports(root, file, types.map((line) => line.replace(TYPE_IMPORT, '$1 ')).join(''), true),
  ]
}

function relativeImports(root: string, from: string, script: string, isType: boolean): Edge[] {
  const [imports] = parse(script, from)
  return imports
    .map(({ n }) => n)
    .filter((target) => target?.startsWith('.') === true)
    .map((target) => relative(root, join(root, dirname(from), target as string)).replaceAll('\\', '/'))
    .map((to) => ({ from, to, isType }))
}

function roomOf(file: string): string | undefined {
  if (file === PACKAGE_FACE) return 'package'
  const [, room] = file.split('/')
  return room === 'package' || rowOf(room) === -1 ? undefined : room
}

function rowOf(room: string | undefined): number {
  return ROWS.findIndex((row) => (row as readonly (string | undefined)[]).includes(room))
}

function brokenEdge({ from, to }: Edge): string[] {
  if (!to.startsWith('node/')) return [`${from} imports ${to}, which is outside node/`]
  const [own, other] = [roomOf(from), roomOf(to)]
  if (own === other || own === undefined || other === undefined) return []
  const broken: string[] = []
  if (rowOf(other) >= rowOf(own)) broken.push(`${from} imports ${to}, but ${own} may not know ${other}`)
  if (to !== PACKAGE_FACE && to !== `node/${other}/${FACE}`)
    broken.push(`${from} imports ${to} past the face node/${other}/${FACE}`)
  return broken
}

/** Cycles among the files of one room that exist at run time; between rooms the order forbids them. */
function cycles(edges: readonly Edge[]): string[] {
  const targets = Map.groupBy(edges, ({ from }) => from)
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file)
    if (start !== -1) {
      found.push(`import cycle: ${[...path.slice(start), file].join(' -> ')}`)
      return
    }
    if (done.has(file)) return
    for (const { to } of targets.get(file) ?? []) if (roomOf(to) === roomOf(file)) visit(to, [...path, file])
    done.add(file)
  }
  for (const file of targets.keys()) visit(file, [])
  return found
}
