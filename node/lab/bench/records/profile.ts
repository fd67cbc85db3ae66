import { type Profiler, Session } from 'node:inspector/promises'

/** Functions named in a profile. */
const NAMED = 14
const SAMPLE_EVERY_MICROS = 500

/** Where the CPU of one thread went: the functions with the most time of their own, and the packages. */
export interface ProfileSummary {
  readonly functions: readonly ProfileRow[]
  readonly places: readonly ProfileRow[]
}

export interface ProfileRow {
  /** 0 to 1 of the time that was sampled. */
  readonly share: number
  readonly what: string
}

/** Samples this process's main thread while `work` runs. */
export async function profiled<T>(
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly profile: ProfileSummary }> {
  const profiling = await Profiling.start()
  const result = await work()
  return { result, profile: await profiling.stop() }
}

/** Samples this process's main thread from its start to its stop. */
export class Profiling {
  readonly #session: Session

  private constructor(session: Session) {
    this.#session = session
  }

  static async start(): Promise<Profiling> {
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_MICROS })
    await session.post('Profiler.start')
    return new Profiling(session)
  }

  async stop(): Promise<ProfileSummary> {
    const { profile } = await this.#session.post('Profiler.stop')
    this.#session.disconnect()
    return summaryOf(profile)
  }
}

/** Self time by function and by place, largest first. */
export function summaryOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): ProfileSummary {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const functions = new Map<string, number>()
  const places = new Map<string, number>()
  let total = 0
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    const micros = timeDeltas[index] ?? 0
    // The profiler's own calls are none of the work.
    if (frame === undefined || frame.url === 'node:inspector') continue
    total += micros
    const place = placeOf(frame.url)
    const name = frame.functionName === '' ? '(anonymous)' : frame.functionName
    const named = place === '' ? name : `${name} (${fileOf(frame.url)})`
    functions.set(named, (functions.get(named) ?? 0) + micros)
    const owner = place === '' ? name : place
    places.set(owner, (places.get(owner) ?? 0) + micros)
  }
  const largest = (times: ReadonlyMap<string, number>): ProfileRow[] =>
    [...times]
      .map(([what, micros]) => ({ what, share: micros / total }))
      .sort((a, b) => b.share - a.share)
      .slice(0, NAMED)
  return { functions: largest(functions), places: largest(places) }
}

/** The package of a script, or its room in this project. */
function placeOf(url: string): string {
  const file = fileOf(url)
  const parts = file.split('/')
  if (file.startsWith('node:')) return 'node itself'
  if (file.startsWith('wasm:')) return 'WebAssembly'
  return parts.slice(0, file.startsWith('@') || file.startsWith('node/') ? 2 : 1).join('/')
}

/** From the package's name on, or from this project's folder. */
function fileOf(url: string): string {
  const modules = url.lastIndexOf('node_modules/')
  if (modules >= 0) return url.slice(modules + 'node_modules/'.length)
  const own = url.lastIndexOf('/node/')
  return url.startsWith('file:') && own >= 0 ? url.slice(own + 1) : url.replace(/^(wasm:).*/, '$1')
}
