import type { TranscriptEvent } from '../../../node/lab/transcript.ts'
import { judgeEquivocationStory } from '../../../node/lab/verdicts/equivocation.ts'
import { judgeOverrunStory } from '../../../node/lab/verdicts/overrun.ts'
import { judgeRestartStory } from '../../../node/lab/verdicts/restart.ts'
import { judgeStolenEvidenceStory } from '../../../node/lab/verdicts/stolen-evidence.ts'
import { judgeUnstakedStory } from '../../../node/lab/verdicts/unstaked.ts'
import { type Break, isLog, judgeAll, plus, saying, type Trial, without } from './judging.ts'
import {
  call,
  heard,
  keyOf,
  log,
  money,
  restartStory,
  slashStory,
  statement,
  status,
  stolenStory,
  unstakedStory,
} from './stories.ts'

const inBlock =
  (name: string, blockNumber: number): Break =>
  (story) =>
    story.map((event) => (event.type === 'log' && event.name === name ? { ...event, blockNumber } : event))
const find = (story: TranscriptEvent[], name: string) => story.find(isLog(name)) as TranscriptEvent

const slashBreaks: [string, Break, RegExp][] = [
  ['no fault is proven', without(isLog('FaultProven')), /one slash/],
  ['the stake is slashed twice', (story) => [...story, find(story, 'Slashed')], /one slash/],
  ['the fault is proven twice', (story) => [...story, find(story, 'FaultProven')], /one slash/],
  ['an honest stake is slashed instead', saying('Slashed', { stakeId: '1' }), /one slash/],
  ['another fault is slashed', saying('Slashed', { faultId: '0x00' }), /one slash/],
  ['too much is charged', saying('Slashed', { charged: '51000000000000000000' }), /loses/],
  [
    'the bond is untouched',
    (s) => [
      ...without((e) => e.type === 'money' && e.actor === 'liar')(s),
      money('liar', 'before', 1000n, 0n),
      money('liar', 'after', 1000n, 0n),
    ],
    /loses/,
  ],
  [
    'an honest bond shrinks',
    (s) => [
      ...without((e) => e.type === 'money' && e.actor === 'one' && e.when === 'after')(s),
      money('one', 'after', 999n, 0n),
    ],
    /loses/,
  ],
  ['the escrow is burned', without(isLog('Released')), /reward/],
  ['the reward is paid twice', (story) => [...story, find(story, 'Released')], /reward/],
  ['the reward goes to a stranger', saying('Released', { beneficiary: keyOf(77) }), /reward/],
  ['the reward is larger than its share', saying('Released', { amount: '50000000000000000000' }), /reward/],
  ['the commits come with the slash', inBlock('Committed', 21), /reward/],
  [
    'nobody is credited',
    (s) => [
      ...without((e) => e.type === 'money' && e.actor === 'two')(s),
      money('two', 'before', 1000n, 0n),
      money('two', 'after', 1000n, 0n),
    ],
    /reward/,
  ],
  [
    'two are credited',
    (s) => [
      ...without((e) => e.type === 'money' && e.actor === 'one')(s),
      money('one', 'before', 1000n, 0n),
      money('one', 'after', 1000n, 5n),
    ],
    /reward/,
  ],
  ['the liar is heard after the slash', plus(heard('one', 3, 'again')), /silen|reaches nobody/],
  ['the liar never tries again', without((e) => e.type === 'said'), /reaches nobody/],
  ['an honest key equivocates', plus(statement(1, (100n << 32n) | 7n, 9)), /no honest key/],
  ['an honest key overruns', plus(statement(2, (100n << 32n) | 65_536n, 9)), /no honest key/],
  ['the observer saw nothing', without((e) => e.type === 'statement'), /./],
]

const stories: Trial[] = [
  [
    'equivocation',
    judgeEquivocationStory,
    () => slashStory(1),
    [
      ...slashBreaks,
      ['there was no lie', without((e) => e.type === 'statement' && e.signer === keyOf(3)), /two things in one slot/],
      ['the liar is only jailed', saying('Slashed', { tombstoned: false, jailedUntil: '1700000000' }), /tombstoned/],
      ['it was an overrun', saying('FaultProven', { faultType: '2' }), /one slash/],
      [
        'a node never heard of it',
        (s) => [...without((e) => e.type === 'status' && e.actor === 'two')(s), status('two', {})],
        /every honest node knows/,
      ],
    ],
  ],
  [
    'overrun',
    judgeOverrunStory,
    () => slashStory(2),
    [
      ...slashBreaks,
      [
        'the index was below the limit',
        (s) => [
          ...without((e) => e.type === 'statement' && e.signer === keyOf(3))(s),
          statement(3, (100n << 32n) | 65_535n, 1),
        ],
        /at its limit/,
      ],
      ['the key is tombstoned', saying('Slashed', { tombstoned: true }), /jailed, not tombstoned/],
      ['it is not jailed', saying('Slashed', { jailedUntil: '0' }), /jailed, not tombstoned/],
    ],
  ],
  [
    'unstaked',
    judgeUnstakedStory,
    unstakedStory,
    [
      ['an unstaked key is heard', plus(heard('two', 4, 's')), /get nowhere/],
      ['an unbonding key is heard', plus(heard('two', 5, 'l')), /get nowhere/],
      ['a key is heard before its activation', plus(heard('two', 6, 'e')), /get nowhere/],
      ['an outsider never spoke', without((e) => e.type === 'said' && e.actor === 'leaving'), /get nowhere/],
      ['only two outsiders played', without((e) => e.type === 'actor' && e.name === 'leaving'), /get nowhere/],
      [
        'an outsider had no peer',
        (s) => s.map((e) => (e.type === 'said' && e.actor === 'stranger' ? { ...e, sent: 0 } : e)),
        /get nowhere/,
      ],
      ['the network was down', without((e) => e.type === 'heard' && e.actor === 'two'), /heard by all/],
      ['nothing was ignored', (s) => [...without((e) => e.type === 'status')(s)], /counted what they ignored/],
      [
        'activation changes nothing',
        without((e) => e.type === 'heard' && e.text === 'now'),
        /once its stake is active/,
      ],
      ['somebody is slashed', plus(log('Slashed', 5, {})), /nobody is slashed/],
      ['an honest key equivocates', plus(statement(1, 100n << 32n, 9)), /no honest key/],
    ],
  ],
  [
    'stolen-evidence',
    judgeStolenEvidenceStory,
    stolenStory,
    [
      ['the copier was not in front', saying('FaultProven', { submitter: keyOf(101) }), /runs in front/],
      ['the copy failed', without((e) => e.type === 'transaction' && e.call === 'submit'), /runs in front/],
      ['the copier never committed', without((e) => e.type === 'transaction' && e.call === 'commit'), /too late/],
      ['the copier never claimed', without((e) => e.type === 'transaction' && e.call === 'claim'), /too late/],
      ['a claim of the copier is accepted', plus(call('copier', 'claim', 23, true)), /too late/],
      ['the copier is paid', plus(log('Released', 61, { beneficiary: keyOf(107), amount: '1' })), /gains nothing/],
      [
        'the copier is credited',
        (s) => [
          ...without((e) => e.type === 'money' && e.actor === 'copier' && e.when === 'after')(s),
          money('copier', 'after', 0n, 5n),
        ],
        /gains nothing/,
      ],
      ['nobody is slashed', without(isLog('Slashed')), /one slash/],
      ['the honest reporter gets nothing', without(isLog('Released')), /one reward/],
    ],
  ],
  [
    'restart',
    judgeRestartStory,
    restartStory,
    [
      ['a slot is signed twice', plus(statement(2, 100n << 32n, 9)), /no honest key/],
      ['an index passes the limit', plus(statement(2, (100n << 32n) | 70_000n, 9)), /no honest key/],
      ['somebody is slashed', plus(log('FaultProven', 5, {})), /nobody is slashed/],
      ['the chain was not watched', without((e) => e.type === 'network'), /nobody is slashed/],
      [
        'a node stays silent after kill -9',
        without((e) => e.type === 'said' && e.phase === 'kill/after'),
        /after kill/,
      ],
      [
        'a killed node refuses',
        plus({ type: 'refused', actor: 'kill', reason: 'lost', phase: 'kill/after' }),
        /after kill/,
      ],
      [
        'a lost guard signs at once',
        without((e) => e.type === 'refused' && e.actor === 'lost-guard'),
        /after lost-guard/,
      ],
      [
        'a restored backup signs at once',
        without((e) => e.type === 'refused' && e.actor === 'restored-backup'),
        /after restored-backup/,
      ],
      [
        'a jumped clock signs at once',
        without((e) => e.type === 'refused' && e.actor === 'clock-jump'),
        /after clock-jump/,
      ],
      ['nobody was killed', without((e) => e.type === 'process' && e.event === 'killed'), /after kill/],
      [
        'a node was seen only before it was hurt',
        without((e) => e.type === 'statement' && e.signer === keyOf(4) && e.position !== String(100n << 32n)),
        /observer saw every node/,
      ],
      [
        'a node was never seen',
        without((e) => e.type === 'statement' && e.signer === keyOf(4)),
        /observer saw every node/,
      ],
    ],
  ],
]

judgeAll(stories)
