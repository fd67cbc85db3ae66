import { EXIT, SuprnovaError } from '../../core/index.ts'
import { ensureContractsBuilt } from '../build-contracts.ts'
import type { TranscriptLine } from '../transcript.ts'
import type { Finding } from '../verdicts/verdict.ts'
import type { Scenario } from './scenario.ts'

/** A node takes about 150 MiB and two seconds of a core to begin. */
export const SCENARIO_NODES_MOST = 64

const scenarios: Record<string, () => Promise<{ scenario: Scenario }>> = {
  equivocation: () => import('./equivocation.ts'),
  overrun: () => import('./overrun.ts'),
  unstaked: () => import('./unstaked.ts'),
  'stolen-evidence': () => import('./stolen-evidence.ts'),
  restart: () => import('./restart.ts'),
  'replica-loss': () => import('./replica-loss.ts'),
  withheld: () => import('./withheld.ts'),
  answered: () => import('./answered.ts'),
  'disk-full': () => import('./disk-full.ts'),
  'clock-skew': () => import('./clock-skew.ts'),
  flood: () => import('./flood.ts'),
  eclipse: () => import('./eclipse.ts'),
  churn: () => import('./churn.ts'),
}

/** The stories there are. */
export const scenarioNames: readonly string[] = Object.keys(scenarios)

export interface ScenarioOptions {
  readonly nodes?: number
  /** Takes progress, one line at a time. */
  readonly log: (line: string) => void
  /** Ends the story early; everything is cleaned up. */
  readonly signal: AbortSignal
}

export interface ScenarioReport {
  readonly name: string
  readonly summary: string
  readonly nodes: number
  /** Whether the story ended as promised. */
  readonly kept: boolean
  readonly findings: readonly Finding[]
  readonly seconds: number
  /** All that the verdict was read from. */
  readonly transcript: readonly TranscriptLine[]
}

/**
 * Plays a story on a private network of its own and judges it.
 * @throws SuprnovaError `UNKNOWN_SCENARIO`, `SCENARIO_NODES`; a story that breaks off throws what broke it
 */
export async function runScenario(name: string, options: ScenarioOptions): Promise<ScenarioReport> {
  const load = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined
  if (load === undefined) {
    throw new SuprnovaError('UNKNOWN_SCENARIO', `there is no scenario called ${JSON.stringify(name)}`, {
      exitCode: EXIT.usage,
      hint: `choose one of ${scenarioNames.join(', ')}`,
      values: { name, known: scenarioNames },
    })
  }
  const { scenario } = await load()
  const nodes = options.nodes ?? scenario.nodes.usual
  if (!Number.isInteger(nodes) || nodes < scenario.nodes.least || nodes > SCENARIO_NODES_MOST) {
    throw new SuprnovaError(
      'SCENARIO_NODES',
      `${name} is played with ${scenario.nodes.least} to ${SCENARIO_NODES_MOST} nodes, not ${nodes}`,
      { exitCode: EXIT.usage, values: { nodes, least: scenario.nodes.least, most: SCENARIO_NODES_MOST } },
    )
  }
  const startedAt = performance.now()
  const transcript: TranscriptLine[] = []
  await ensureContractsBuilt({ log: options.log })
  await scenario.play({
    nodes,
    log: options.log,
    signal: options.signal,
    transcript,
    write: (event) => void transcript.push({ ...event, atMs: Math.round(performance.now() - startedAt) }),
  })
  const { kept, findings } = scenario.judge(transcript)
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  return { name, summary: scenario.summary, nodes, kept, findings, seconds, transcript }
}
