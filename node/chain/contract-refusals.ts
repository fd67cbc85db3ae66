import { formatEther } from 'viem'
import { EXIT, type ExitCode } from '../core/index.ts'

type Values = Record<string, unknown>

/** What a contract's custom error says to whoever meets it. */
interface Refusal {
  readonly says: (values: Values) => string
  readonly hint: string
  /** 75 where waiting is all it takes; 5 otherwise. */
  readonly exitCode?: ExitCode
}

const egi = (value: unknown) => `${formatEther(value as bigint)} EGI`
const at = (value: unknown) => new Date(Number(value as bigint) * 1_000).toISOString()
const STATUS_NAMES = ['unknown', 'pending', 'active', 'unbonding', 'withdrawn']
const status = (value: unknown) => STATUS_NAMES[Number(value)] ?? String(value)
const later = EXIT.tryAgain

/** Every custom error a person can meet, by its Solidity name. Each one's values are its arguments, by name. */
export const CONTRACT_REFUSALS: Readonly<Record<string, Refusal>> = {
  // registering
  RegistrationsPaused: {
    says: (v) => `new registrations are paused until ${at(v.until)}`,
    hint: 'register after that time; a pause ends by itself',
    exitCode: later,
  },
  BelowMinimum: {
    says: (v) => `the stake of ${egi(v.amount)} is below the minimum of ${egi(v.minimum)}`,
    hint: 'give a larger --amount, or top the stake up first',
  },
  DeadlinePassed: {
    says: (v) => `the signatures were valid until ${at(v.deadline)}; the chain is at ${at(v.nowSeconds)}`,
    hint: 'run the command again; it signs anew',
  },
  OperatorHasStake: {
    says: (v) => `operator ${v.operator} already has stake ${v.stakeId}`,
    hint: 'one stake per operator: use that one, withdraw it, or use another account',
  },
  PersonHasStake: {
    says: (v) => `person ${v.person} already stands behind stake ${v.stakeId}`,
    hint: 'one stake per person; withdrawing the other one frees it, a tombstone never does',
  },
  KeyTaken: {
    says: (v) => `node key ${v.key} belongs to stake ${v.stakeId} for ever`,
    hint: 'make a fresh key: suprnova key new',
  },
  BadPossessionSignature: {
    says: (v) => `the signature is not one of node key ${v.key} over this operator and registry`,
    hint: 'sign with the node key that is registered',
  },
  BadPersonSignature: {
    says: (v) => `the signature is not one of person ${v.person} over this operator and node key`,
    hint: 'derive the person key for this coordinator and chain',
  },
  NotAPerson: {
    says: (v) => `the person verifier does not accept ${v.person}`,
    hint: 'get the proof this deployment asks for',
  },
  // a stake's life
  UnknownStake: { says: (v) => `there is no stake ${v.stakeId}`, hint: 'see suprnova stake status' },
  NotOperator: {
    says: (v) => `${v.caller} is not the operator of stake ${v.stakeId}`,
    hint: 'send with the account that registered it',
  },
  WrongStatus: {
    says: (v) => `stake ${v.stakeId} is ${status(v.status)}, which does not allow this`,
    hint: 'see suprnova stake status',
  },
  IsTombstoned: { says: (v) => `stake ${v.stakeId} is tombstoned, for ever`, hint: 'unbond and withdraw what is left' },
  NotJailed: { says: (v) => `stake ${v.stakeId} is not jailed`, hint: 'nothing needs to be done' },
  StillJailed: {
    says: (v) => `stake ${v.stakeId} is jailed until ${at(v.until)}`,
    hint: 'run the command after that time',
    exitCode: later,
  },
  NotReady: {
    says: (v) => `stake ${v.stakeId} can be withdrawn from ${at(v.readyAt)}; the chain is at ${at(v.nowSeconds)}`,
    hint: 'run the command after that time',
    exitCode: later,
  },
  Unsettled: {
    says: (v) => `stake ${v.stakeId} has ${v.faults} faults to settle first`,
    hint: 'suprnova stake withdraw settles them once their windows have passed',
  },
  RotationPending: {
    says: (v) =>
      `the newest key of stake ${v.stakeId} begins in epoch ${v.fromEpoch}; only then can it be rotated again`,
    hint: 'run the command after that epoch began',
    exitCode: later,
  },
  HeaderTooLong: {
    says: (v) => `the block header has ${v.given} bytes, above the limit of ${v.limit}`,
    hint: 'this chain has headers the registry does not take',
  },
  WrongHeader: {
    says: (v) => `the header is of block ${v.given}, the draw is on block ${v.wanted}`,
    hint: 'run the command again',
    exitCode: later,
  },
  HeaderHashMismatch: {
    says: (v) => `the header is not the one of block ${v.blockNumber}, or its hash is out of reach`,
    hint: 'wait for the draw block; if it is long past: suprnova stake activate --renew',
    exitCode: later,
  },
  DrawStillPossible: {
    says: (v) => `the draw of stake ${v.stakeId} on block ${v.drawBlock} is not missed`,
    hint: 'activate it: suprnova stake activate',
  },
  // money
  NothingToWithdraw: { says: (v) => `${v.account} has no credits`, hint: 'nothing needs to be done' },
  NothingToBurn: { says: () => 'nothing is burnable', hint: 'nothing needs to be done' },
  SettlementTooEarly: {
    says: (v) => `fault ${v.faultId} can be settled from ${at(v.settleableAt)}; the chain is at ${at(v.nowSeconds)}`,
    hint: 'run the command after that time',
    exitCode: later,
  },
  AlreadySettled: { says: (v) => `fault ${v.faultId} is settled`, hint: 'nothing needs to be done' },
  ERC20InsufficientBalance: {
    says: (v) => `${v.sender} has ${egi(v.balance)} and needs ${egi(v.needed)}`,
    hint: 'get tokens; on a local chain: suprnova token faucet',
  },
  ERC20InsufficientAllowance: {
    says: (v) => `${v.spender} may take ${egi(v.allowance)} and needs ${egi(v.needed)}`,
    hint: 'the permit was not taken; run the command again',
  },
  ERC2612ExpiredSignature: {
    says: (v) => `the permit was valid until ${at(v.deadline)}`,
    hint: 'run the command again; it signs anew',
  },
  ERC2612InvalidSigner: {
    says: (v) => `the permit is signed by ${v.signer}, not by ${v.owner}`,
    hint: 'sign with the account that holds the tokens',
  },
  ERC20InvalidReceiver: { says: (v) => `tokens cannot go to ${v.receiver}`, hint: 'give another --to' },
  SafeERC20FailedOperation: {
    says: (v) => `token ${v.token} refused to move`,
    hint: 'check the balance and the token',
  },
  MoreThanPerCall: {
    says: (v) => `the faucet gives at most ${egi(v.limit)} a call, not ${egi(v.amount)}`,
    hint: 'ask for less, more often',
  },
  // the court
  UnknownFaultType: {
    says: (v) => `the court does not judge fault type ${v.faultType}`,
    hint: 'fault types: 1 equivocation, 2 overrun',
  },
  AlreadySlashed: {
    says: (v) => `fault ${v.faultId} is slashed already`,
    hint: 'nothing needs to be done; an earlier commit can still claim',
  },
  UnknownFault: { says: (v) => `fault ${v.faultId} is not proven on this chain`, hint: 'submit the evidence first' },
  AlreadyCommitted: {
    says: (v) => `this commitment stands since block ${v.blockNumber}`,
    hint: 'nothing needs to be done; submit the evidence',
  },
  UnknownCommitment: {
    says: (v) => `there is no commitment ${v.commitment}`,
    hint: 'claim with the reporter, beneficiary and salt of the commit',
  },
  CommitNotBeforeSlash: {
    says: (v) => `the commit is in block ${v.commitBlock}, the slash in block ${v.slashedBlock}`,
    hint: 'only a commit mined before the slash earns its reward',
  },
  NotEarlier: {
    says: (v) => `a commit of block ${v.bestBlock} has the claim; yours is of block ${v.commitBlock}`,
    hint: 'the earliest commit wins',
  },
  ClaimWindowClosed: {
    says: (v) => `claims on fault ${v.faultId} closed at ${at(v.closedAt)}`,
    hint: 'nothing can be claimed any more',
  },
  ClaimWindowOpen: {
    says: (v) => `claims on fault ${v.faultId} close at ${at(v.closesAt)}`,
    hint: 'release after that time',
    exitCode: later,
  },
  AlreadyReleased: { says: (v) => `the reward of fault ${v.faultId} is released`, hint: 'see suprnova stake credits' },
  EvidenceForAnotherFault: {
    says: (v) => `the evidence proves fault ${v.given}, not ${v.wanted}`,
    hint: 'give the evidence that was committed to',
  },
  // the verifiers
  EvidenceLength: {
    says: (v) => `the evidence has ${v.given} bytes, this fault's has ${v.expected}`,
    hint: 'check the bundle: suprnova evidence verify',
  },
  VoidStatement: {
    says: (v) => `a statement of kind ${v.kind} with scope ${v.scope} is void`,
    hint: 'check the bundle: suprnova evidence verify',
  },
  EpochInFuture: {
    says: (v) => `the statement is of epoch ${v.epoch}, the chain is in epoch ${v.currentEpoch}`,
    hint: 'submit again once the chain is there',
    exitCode: later,
  },
  BadSignature: {
    says: (v) => `a signature in the evidence is not one of ${v.signer}`,
    hint: 'is the evidence of this chain and deployment? suprnova evidence verify',
  },
  UnknownKey: { says: (v) => `no stake ever had key ${v.signer}`, hint: 'only staked keys can be slashed' },
  KeyNotInTenure: {
    says: (v) =>
      `key ${v.signer} was its stake's key from epoch ${v.fromEpoch} to ${v.untilEpoch}, the statement is of epoch ${v.epoch}`,
    hint: 'the statement is void and punishes nobody',
  },
  EvidenceTooOld: {
    says: (v) => `statements of the retired key ${v.signer} were punishable until ${at(v.punishableUntil)}`,
    hint: 'nothing can be done any more',
  },
  NotFaulty: {
    says: () => 'the statements are valid and break no rule',
    hint: 'check the bundle: suprnova evidence verify',
  },
  // challenges
  BadShown: {
    says: (v) => `the ${v.what} that was shown has ${v.given}, expected was ${v.expected}`,
    hint: 'give the receipt and its PUT as `suprnova dht receipts --export` prints them',
  },
  ForeignPut: {
    says: () => 'the receipt is not for this body of this PUT',
    hint: 'give the PUT that the receipt came for: they are exported together',
  },
  ForeignPublisher: {
    says: (v) => `stake ${v.publisherStakeId} signed this PUT, the receipt is for that of stake ${v.promisedToStakeId}`,
    hint: 'give the PUT that the receipt came for: another stake can sign a copy with the same digest',
  },
  ReceiptOver: {
    says: (v) => `the receipt promised until epoch ${v.untilEpoch}, the chain is in epoch ${v.currentEpoch}`,
    hint: 'its promise was kept as long as it held; nothing can be asked any more',
  },
  BeyondSize: {
    says: (v) => `the value has ${v.size} bytes, so there is no chunk ${v.chunkIndex} of 1 KiB`,
    hint: 'give a smaller --chunk',
  },
  AlreadyOpen: {
    says: (v) => `challenge ${v.challengeId} to this chunk is open already`,
    hint: 'wait for its answer or its deadline',
    exitCode: later,
  },
  AlreadyBroken: {
    says: () => 'nobody answered another challenge to this receipt: its promise is broken, and was paid for',
    hint: 'a receipt is slashed once; challenge another one of that replica',
  },
  BondTooSmall: {
    says: (v) => `the bond of ${v.given} wei is below the ${v.needed} that are needed now`,
    hint: 'run the command again: another challenge was opened, or fees rose',
    exitCode: later,
  },
  UnknownChallenge: { says: (v) => `there is no challenge ${v.challengeId}`, hint: 'check its id' },
  NotOpen: { says: (v) => `challenge ${v.challengeId} is over`, hint: 'it was answered or concluded already' },
  TooLate: {
    says: (v) => `challenge ${v.challengeId} could be answered until ${at(v.answerableUntil)}`,
    hint: 'nothing can be done any more',
  },
  TooEarly: {
    says: (v) => `challenge ${v.challengeId} can be answered until ${at(v.answerableUntil)}`,
    hint: 'conclude it after that time and block',
    exitCode: later,
  },
  WrongChunk: {
    says: (v) => `the chunk leads to root ${v.root}, promised was ${v.valueRoot}`,
    hint: 'give the value exactly as it was stored',
  },
  NotSuperseded: {
    says: () => 'the other PUT is not a later one of the same writer for the same entry',
    hint: 'show the chunk itself',
  },
  NothingToCollect: {
    says: (v) => `challenge ${v.challengeId} leaves nothing to collect`,
    hint: 'it is open still, or was collected',
  },
  NotPaid: {
    says: (v) => `${v.account} did not take ${v.amountWei} wei`,
    hint: 'its contract refuses coins; the amount stays until it takes them',
  },
  NotConcluding: {
    says: () => 'silence is judged while its challenge is concluded, and never otherwise',
    hint: 'conclude the challenge: suprnova evidence challenge --wait --conclude',
  },
  NotVerifier: { says: (v) => `${v.caller} is not the verifier of unavailabilities`, hint: 'conclude the challenge' },
}
