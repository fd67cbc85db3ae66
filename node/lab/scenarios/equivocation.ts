import { judgeEquivocationStory } from '../verdicts/equivocation.ts'
import { playOneLie } from './one-lie.ts'
import type { Scenario } from './scenario.ts'

export const scenario: Scenario = {
  name: 'equivocation',
  summary: 'A key says two things in one slot; all nodes see it, and it ends in one slash and one reward',
  nodes: { usual: 5, least: 2 },
  play: (stage) => playOneLie(stage, { order: 'twice', texts: ['the stone is white', 'the stone is black'] }),
  judge: judgeEquivocationStory,
}
