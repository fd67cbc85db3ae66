import { judgeOverrunStory } from '../verdicts/overrun.ts'
import { playOneLie } from './one-lie.ts'
import type { Scenario } from './scenario.ts'

export const scenario: Scenario = {
  name: 'overrun',
  summary: 'A key signs an index at its limit: it is jailed and charged 1 %',
  nodes: { usual: 3, least: 2 },
  play: (stage) => playOneLie(stage, { order: 'beyond', texts: ['one word too many'] }),
  judge: judgeOverrunStory,
}
