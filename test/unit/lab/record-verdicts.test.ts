import type { TranscriptEvent } from '../../../node/lab/transcript.ts'
import { judgeAnsweredStory } from '../../../node/lab/verdicts/answered.ts'
import { judgeChurnStory } from '../../../node/lab/verdicts/churn.ts'
import { judgeClockSkewStory } from '../../../node/lab/verdicts/clock-skew.ts'
import { judgeDiskFullStory } from '../../../node/lab/verdicts/disk-full.ts'
import { judgeEclipseStory } from '../../../node/lab/verdicts/eclipse.ts'
import { judgeFloodStory } from '../../../node/lab/verdicts/flood.ts'
import { judgeReplicaLossStory } from '../../../node/lab/verdicts/replica-loss.ts'
import { judgeWithheldStory } from '../../../node/lab/verdicts/withheld.ts'
import { type Break, changing, isLog, judgeAll, plus, saying, type Trial, without } from './judging.ts'
import {
  answeredStory,
  churnStory,
  eclipseStory,
  floodStory,
  fullStory,
  lossStory,
  measured,
  notStored,
  read,
  skewStory,
  stored,
  withheldStory,
} from './record-stories.ts'
import { keyOf, log, money, process } from './stories.ts'

const isRead = (phase: string, key?: string) => (event: TranscriptEvent) =>
  event.type === 'read' && event.phase === phase && (key === undefined || event.key === key)
const isProcess = (name: string, happened: string) => (event: TranscriptEvent) =>
  event.type === 'process' && event.actor === name && event.event === happened
/** Says that something else was measured. */
const measuring = (name: string, value: number, phase?: string): Break =>
  changing('measured', (event) => event.name === name && (phase === undefined || event.phase === phase), { value })
const unmeasured = (name: string): Break => without((event) => event.type === 'measured' && event.name === name)
/** A read of one record that gave nothing, or something else. */
const losing = (phase: string, key: string): Break =>
  changing('read', (event) => event.phase === phase && event.key === key, { sum: null })
const inventing = (phase: string, key: string): Break =>
  changing('read', (event) => event.phase === phase && event.key === key, { sum: 'never stored' })

/** What every story about records promises. */
const recordBreaks = (phase: string, key: string): [string, Break, RegExp][] => [
  ['an acknowledged record is gone', losing(phase, key), /read back/],
  ['a record is not even looked for', without(isRead(phase, key)), /read back/],
  ['nothing is read at all', without((event) => event.type === 'read'), /read back/],
  ['a read gives what nobody stored', inventing(phase, key), /never stored/],
]
const slashBreaks: [string, Break, RegExp][] = [
  ['somebody is slashed', plus(log('Slashed', 90, {})), /nobody is slashed/],
  ['a fault is proven', plus(log('FaultProven', 90, {})), /nobody is slashed/],
  ['the chain was not watched', without((event) => event.type === 'network'), /nobody is slashed/],
]

const trials: Trial[] = [
  [
    'replica-loss',
    judgeReplicaLossStory,
    lossStory,
    [
      ...recordBreaks('one lost', 'record 7'),
      ...slashBreaks,
      ['a record was lost from the start', losing('whole', 'record 1'), /\(whole\)/],
      ['a record is lost with two at once', losing('two back', 'record 60'), /\(two back\)/],
      ['nobody was killed for good', without(isProcess('lost', 'killed')), /killed for good/],
      ['who was lost came back', plus(process('lost', 'started', 'lost')), /killed for good/],
      ['only one of two was killed', without(isProcess('left', 'killed')), /killed for good/],
      [
        'the first was back before the second was killed',
        (story) => {
          const rest = without(isProcess('left', 'started'))(story)
          const at = rest.findIndex(isProcess('right', 'killed'))
          return [...rest.slice(0, at), process('left', 'started', 'two'), ...rest.slice(at)]
        },
        /killed for good/,
      ],
      [
        'one of two never came back',
        without((e) => isProcess('right', 'started')(e) && 'phase' in e && e.phase === 'two'),
        /killed for good/,
      ],
      [
        'too few records were stored',
        without((e) => e.type === 'stored' && Number(e.key.split(' ')[1]) > 5),
        /read back/,
      ],
    ],
  ],
  [
    'withheld',
    judgeWithheldStory,
    withheldStory,
    [
      ...recordBreaks('withheld', 'record 3'),
      ['it had promised nothing', changing('stored', () => true, { stakes: [1, 2] }), /promised records/],
      ['it was never challenged', without(isLog('Opened')), /alone/],
      ['it answered', plus(log('Answered', 40, { challengeId: '0x01' })), /alone/],
      ['another was challenged', saying('Opened', { stakeId: '2' }), /alone/],
      ['an honest stake is slashed too', plus(log('Slashed', 51, { stakeId: '1' })), /alone/],
      ['it was slashed for something else', saying('FaultProven', { faultType: '1' }), /alone/],
      ['it was slashed before it was challenged', changing('log', isLog('Opened'), { blockNumber: 60 }), /alone/],
      ['nobody is slashed', without(isLog('Slashed')), /alone/],
      ['it loses too little', saying('Slashed', { charged: '1' }), /penalty/],
      ['it is tombstoned', saying('Slashed', { tombstoned: true }), /penalty/],
      ['it is not jailed', saying('Slashed', { jailedUntil: '0' }), /penalty/],
      [
        'the publisher gets nothing',
        (story) => [
          ...without((e) => e.type === 'money' && e.actor === 'one' && e.when === 'after')(story),
          money('one', 'after', 1000n, 0n),
        ],
        /publisher/,
      ],
      [
        'somebody else is paid as well',
        (story) => [
          ...without((e) => e.type === 'money' && e.actor === 'two' && e.when === 'after')(story),
          money('two', 'after', 1000n, 1n),
        ],
        /publisher/,
      ],
    ],
  ],
  [
    'answered',
    judgeAnsweredStory,
    answeredStory,
    [
      ...slashBreaks,
      [
        'one challenge stays unanswered',
        (story) => story.filter((e) => !(isLog('Answered')(e) && e.type === 'log' && e.blockNumber === 32)),
        /every challenge is answered/,
      ],
      ['nobody was challenged', without(isLog('Opened')), /every challenge is answered/],
      [
        'the superseded one was not challenged',
        without((e) => e.type === 'challenged' && e.phase === 'superseded'),
        /were challenged/,
      ],
      ['an answer is not paid', saying('Answered', { paidWei: '0' }), /paid/],
      ['a stranger answered', saying('Answered', { answerer: keyOf(700) }), /paid/],
      ['the overloaded one was never stopped', unmeasured('stopped for ms'), /out of the running/],
    ],
  ],
  [
    'churn',
    judgeChurnStory,
    churnStory,
    [
      ...recordBreaks('after', 'record 9'),
      ...slashBreaks,
      ['a record was gone before', losing('before', 'record 2'), /\(before\)/],
      ['fewer were replaced', without(isProcess('node 2', 'killed')), /are replaced/],
      ['fewer came', without(isProcess('new 3', 'started')), /are replaced/],
      [
        'one that left came back',
        changing('process', isProcess('new 1', 'started'), { actor: 'node 2' }),
        /are replaced/,
      ],
      [
        'it took an hour',
        (story) => {
          const last = story.findIndex(isProcess('new 3', 'started'))
          const pause = Array.from({ length: 3_600 }, (): TranscriptEvent => measured('nothing', 0, 'pause'))
          return [...story.slice(0, last), ...pause, ...story.slice(last)]
        },
        /within minutes/,
      ],
      ['no record was touched', changing('stored', () => true, { stakes: [1, 9] }), /lost replicas/],
      ['nobody measured what a node costs', unmeasured('MiB of a node at rest'), /at rest/],
    ],
  ],
  [
    'eclipse',
    judgeEclipseStory,
    eclipseStory,
    [
      ...slashBreaks,
      ['attackers could hide more than chance gives', measuring('drawn rate', 0.008), /seeded draws/],
      ['attackers could hide less', measuring('drawn rate', 0.006), /seeded draws/],
      ['nothing was drawn', unmeasured('drawn rate'), /seeded draws/],
      ['few keys were drawn', measuring('keys drawn', 5_000), /seeded draws/],
      ['one more record is hidden', losing('eclipse', 'record 5'), /running network/],
      ['placements say another number', measuring('computed', 3), /running network/],
      ['another record is hidden instead', measuring('hidden though it should not be', 1), /running network/],
      [
        'attackers hid nothing, which shows nothing',
        (s) => measuring('hidden', 0)(measuring('computed', 0)(s)),
        /running network/,
      ],
      ['attackers had half of the stakes', measuring('share of the stakes', 0.5), /running network/],
      ['few records were stored', measuring('stored', 20), /running network/],
      [
        'records were not read',
        without((e) => isRead('eclipse')(e) && e.type === 'read' && e.sum !== null),
        /read back/,
      ],
      ['a record came back changed', inventing('eclipse', 'record 8'), /never stored/],
      [
        'a record came back as another one',
        changing('read', (event) => event.key === 'record 8', { sum: 'sum of record 9' }),
        /read back/,
      ],
    ],
  ],
  [
    'flood',
    judgeFloodStory,
    floodStory,
    [
      ...recordBreaks('after', 'quiet 4'),
      ...slashBreaks,
      ...['stranger fetch', 'stranger forged', 'staked fetch', 'staked forged'].map(
        (phase): [string, Break, RegExp] => [
          `a request of ${phase} costs ten times what dropping it costs`,
          measuring('us of the node for one', 80, phase),
          /little more/,
        ],
      ),
      ['a flood takes a whole core', measuring('cores of the node', 1, 'staked fetch'), /questions by a stake/],
      ['there was hardly a flood', measuring('sent', 200, 'stranger fetch'), /questions by a stranger/],
      ['nothing was aimed at nothing', measuring('sent at nothing', 0, 'staked forged'), /forged records by a stake/],
      ['the node grew by a gigabyte', measuring('MiB grown', 1_000, 'staked fetch'), /memory/],
      ['memory was not looked at', unmeasured('MiB grown'), /memory/],
      ['a store failed meanwhile', plus(notStored('one', 'x', 'DHT_TOO_FEW_RECEIPTS', 'staked fetch')), /others go on/],
      ['a read gave nothing meanwhile', losing('stranger forged', 'stranger forged 3'), /others go on/],
      ['stores took minutes', measuring('ms to store and read', 60_000, 'staked forged'), /others go on/],
    ],
  ],
  [
    'disk-full',
    judgeDiskFullStory,
    fullStory,
    [
      ...recordBreaks('full', 'before 2'),
      ...slashBreaks,
      ['the node died', measuring('alive when full', 0), /lives on/],
      ['nothing was its to hold', measuring('due to it while full', 0), /lives on/],
      ['it gave a receipt', plus(stored('one', 'y', [1, 2], 'full')), /lives on/],
      ['it held more than before', measuring('records while full', 30), /lives on/],
      ['a store failed', plus(notStored('one', 'y', 'DHT_TOO_FEW_RECEIPTS', 'full')), /stand in/],
      ['nobody stood in', changing('stored', (e) => e.key === 'full 3', { stakes: [1, 3] }), /stand in/],
      ['its guard signed on', without((e) => e.type === 'not-stored'), /guard refuses/],
      ['it failed otherwise', changing('not-stored', () => true, { code: 'STORE_WRITE_FAILED' }), /guard refuses/],
      ['it never signed again', without((e) => e.type === 'stored' && e.phase === 'own after'), /guard refuses/],
      ['it took nothing again', changing('stored', (e) => e.phase === 'after', { stakes: [1, 3] }), /by itself/],
      ['a promise is gone after the kill', measuring('held after kill', 40), /all that it promised/],
      ['it was never killed', without(isProcess('small', 'killed')), /all that it promised/],
      ['it never came back', without(isProcess('small', 'started')), /all that it promised/],
      ['a record is gone afterwards', losing('after', 'after 1'), /\(after\)/],
    ],
  ],
  [
    'clock-skew',
    judgeClockSkewStory,
    skewStory,
    [
      ...recordBreaks('skewed', 'of ahead 2'),
      ...slashBreaks,
      ['a clock that is ahead was right', measuring('clock of ahead off by ms', 0), /within the skew/],
      ['a store within the skew failed', plus(notStored('behind', 'z', 'GUARD_REFUSED', 'skewed')), /within the skew/],
      [
        'nobody took receipts of one behind',
        changing('stored', (e) => e.phase === 'skewed' && e.actor !== 'behind', { stakes: [1, 3] }),
        /within the skew/,
      ],
      [
        'the one at the border failed otherwise',
        plus(notStored('edge', 'z', 'DHT_NO_REPLICAS', 'edge')),
        /about the skew/,
      ],
      [
        'the one at the border never tried',
        without((e) => 'phase' in e && e.phase === 'edge' && e.type !== 'read'),
        /about the skew/,
      ],
      ['one far off signs', plus(stored('far', 'z', [1, 2], 'past skew')), /silences its own/],
      ['one that jumped promises', plus(stored('one', 'z', [1, 7], 'others past skew')), /silences its own/],
      ['one far off was never tried', without((e) => e.type === 'not-stored' && e.actor === 'far'), /silences its own/],
      [
        'it failed for another reason',
        changing('not-stored', (e) => e.actor === 'far', { code: 'DHT_NO_REPLICAS' }),
        /silences its own/,
      ],
      [
        'others were held up',
        plus(notStored('one', 'z', 'DHT_TOO_FEW_RECEIPTS', 'others past skew')),
        /silences its own/,
      ],
      ['one never signs again', without((e) => e.type === 'stored' && e.key === 'late jumper'), /sign again/],
      ['a record is gone afterwards', losing('after', 'of one 1'), /\(after\)/],
      [
        'an old value is read',
        plus({ ...read('two', 'one', 'of one 1', 'after'), sum: 'older' } as TranscriptEvent),
        /\(after\)|never stored/,
      ],
    ],
  ],
]

judgeAll(trials)
