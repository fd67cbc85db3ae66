/** One way to break a promise of the contracts: `find` stands exactly once in `contracts/<file>`. */
export interface Break {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The test files that are asked, under `contracts/`; the invariants when there are none. */
  readonly tests?: readonly string[]
}

const PENALTIES = 'registry/RegistryPenalties.sol'
const LEDGER = 'registry/RegistryLedger.sol'
const REGISTRY = 'StakeRegistry.sol'
const COURT = 'FaultCourt.sol'
const VERIFIER = 'faults/StatementVerifier.sol'
const CHALLENGE = 'AvailabilityChallenge.sol'
const CHALLENGE_TESTS = ['AvailabilityChallenge.t.sol', 'AvailabilityChallenge.invariant.t.sol']

/** Each promise of the contracts, broken once. */
export const BREAKS: readonly Break[] = [
  {
    name: 'penalties of a period add up',
    file: PENALTIES,
    find: 'Penalties.newlyDue(start, penaltyBps, beforeBps)',
    replace: 'base',
  },
  {
    name: 'a penalty is part of what is left, not of what the period began with',
    file: PENALTIES,
    find: 'start = bond.periodStart;',
    replace: 'start = amount;',
  },
  {
    name: 'offenders are not counted for the correlated part',
    file: PENALTIES,
    find: '_offendersIn[block.timestamp / BUCKET_SECONDS] += amount;',
    replace: '_offendersIn[block.timestamp / BUCKET_SECONDS] += 0;',
  },
  {
    name: 'one slot is slashed twice',
    file: PENALTIES,
    find: 'require(fault.stakeId == 0, IFaultCourtErrors.AlreadySlashed(faultId));',
    replace: '',
  },
  {
    name: 'a liar gets no tombstone',
    file: PENALTIES,
    find: 'bond.tombstoned = true;',
    replace: 'bond.tombstoned = bond.tombstoned;',
  },
  {
    name: 'a slash shortens an exit',
    file: PENALTIES,
    find: 'bond.amount = newAmount;\n        if (penaltyBps',
    replace:
      'bond.amount = newAmount;\n        if (bond.readyAt > block.timestamp) bond.readyAt = uint40(block.timestamp);\n        if (penaltyBps',
  },
  {
    name: 'the reporter gets half of what is slashed',
    file: PENALTIES,
    find: 'escrowed = Penalties.part(charged, rewardBps);',
    replace: 'escrowed = Penalties.part(charged, 5_000);',
  },
  {
    name: 'a settlement does not wait for its window',
    file: PENALTIES,
    find: 'require(block.timestamp >= from, SettlementTooEarly(faultId, from, block.timestamp));',
    replace: '',
  },
  {
    name: 'a fault is settled twice',
    file: PENALTIES,
    find: 'require(!fault.settled, AlreadySettled(faultId));',
    replace: '',
  },
  {
    name: 'correlated parts of a period add up',
    file: PENALTIES,
    find: '_correlatedDue[periodKey] = due;',
    replace: '_correlatedDue[periodKey] = 0;',
  },
  {
    name: 'what is charged of an unbonding stake stays in the sum of unbonding',
    file: LEDGER,
    find: 'if (isUnbonding) sums.unbonding -= charged;',
    replace: '',
  },
  {
    name: 'a top-up is not counted',
    file: LEDGER,
    find: 'function _addBond(uint96 amount) internal {\n        _sums.slashable += amount;',
    replace: 'function _addBond(uint96 amount) internal {\n        _sums.slashable += amount / 2;',
  },
  {
    name: 'escrow can be burnt before anyone claims',
    file: LEDGER,
    find: 'IERC20(token).balanceOf(address(this)) - _sums.slashable - _sums.escrow - _sums.credits',
    replace: 'IERC20(token).balanceOf(address(this)) - _sums.slashable - _sums.credits',
  },
  {
    name: 'a withdrawal comes a second early',
    file: REGISTRY,
    find: 'require(block.timestamp >= bond.readyAt, NotReady(',
    replace: 'require(block.timestamp + 1 >= bond.readyAt, NotReady(',
  },
  {
    name: 'unbonding is a second short',
    file: REGISTRY,
    find: 'block.timestamp + UNBONDING_SECONDS',
    replace: 'block.timestamp + UNBONDING_SECONDS - 1',
  },
  {
    name: 'a withdrawal does not wait for settlement',
    file: REGISTRY,
    find: 'require(bond.unsettled == 0, Unsettled(stakeId, bond.unsettled));',
    replace: '',
  },
  {
    name: 'a tombstone frees operator and person',
    file: REGISTRY,
    find: 'if (!bond.tombstoned) {',
    replace: 'if (bond.tombstoned || !bond.tombstoned) {',
  },
  {
    name: 'an unjail does not ask for the bond',
    file: REGISTRY,
    find: 'require(bond.amount >= bond.minStake, BelowMinimum(bond.amount, bond.minStake));',
    replace: '',
  },
  {
    name: 'an unjail does not wait',
    file: REGISTRY,
    find: 'require(block.timestamp >= bond.jailedUntil, StillJailed(',
    replace: 'require(block.timestamp != 0, StillJailed(',
  },
  {
    name: 'a missed draw costs nothing',
    file: REGISTRY,
    find: 'bond.amount / MISSED_DRAW_DIVISOR',
    replace: 'bond.amount / type(uint96).max',
  },
  {
    name: 'a rotation takes effect an epoch early',
    file: REGISTRY,
    find: 'epoch + ROTATION_EPOCHS',
    replace: 'epoch + ROTATION_EPOCHS - 1',
  },
  {
    name: 'a placement depends on who activates',
    file: 'libraries/Placement.sol',
    find: 'keccak256(abi.encode(BlockHeader.getPrevRandao(fields), stakeId))',
    replace: 'keccak256(abi.encode(BlockHeader.getPrevRandao(fields), stakeId, msg.sender))',
  },
  {
    name: 'a key is taken a second time',
    file: 'registry/RegistryKeys.sol',
    find: 'require(holder == 0, KeyTaken(key, holder));',
    replace: '',
    tests: ['StakeRegistry.t.sol'],
  },
  {
    name: 'a commit in the block of the slash earns the reward',
    file: COURT,
    find: 'require(commitBlock < fault.slashedBlock,',
    replace: 'require(commitBlock <= fault.slashedBlock,',
    tests: ['FaultCourt.t.sol'],
  },
  {
    name: 'a later commit takes the reward over',
    file: COURT,
    find: 'require(best == 0 || commitBlock < best, NotEarlier(commitBlock, best));',
    replace: '',
    tests: ['FaultCourt.t.sol'],
  },
  {
    name: 'statements of a far epoch convict',
    file: VERIFIER,
    find: 'require(epoch <= currentEpoch + 1, EpochInFuture(epoch, uint64(currentEpoch)));',
    replace: '',
  },
  {
    name: 'a key is convicted of what lies outside its tenure',
    file: VERIFIER,
    find: 'epoch >= key.fromEpoch && (key.untilEpoch == 0 || epoch < key.untilEpoch)',
    replace: 'epoch >= key.fromEpoch',
  },
  {
    name: 'a retired key stays punishable for ever',
    file: VERIFIER,
    find: 'require(atSeconds <= punishableUntil, EvidenceTooOld(slot.signer, punishableUntil, atSeconds));',
    replace: '',
  },
  {
    name: 'saying the same thing twice is a fault',
    file: 'faults/EquivocationVerifier.sol',
    find: 'require(contentA != contentB, NotFaulty());',
    replace: '',
    tests: ['faults/Verdicts.t.sol'],
  },
  {
    name: 'the last index allowed is an overrun',
    file: 'faults/OverrunVerifier.sol',
    find: 'Statements.indexOf(parsed.position) >= _limitOf(parsed.kind)',
    replace: 'Statements.indexOf(parsed.position) + 1 >= _limitOf(parsed.kind)',
    tests: ['faults/Verdicts.t.sol'],
  },
  {
    name: 'a signature with high s convicts',
    file: 'libraries/Signatures.sol',
    find: 'if (s > HALF_ORDER) return address(0);',
    replace: '',
    tests: ['faults/Verdicts.t.sol'],
  },
  {
    name: 'void kinds and scopes convict',
    file: VERIFIER,
    find: 'require(!Statements.isVoid(slot.kind, slot.scope), VoidStatement(slot.kind, slot.scope));',
    replace: '',
    tests: ['faults/Verdicts.t.sol'],
  },
  {
    name: 'a challenge that was answered stays open to a slash',
    file: CHALLENGE,
    find: 'challenge.status = ChallengeStatus.Answered;',
    replace: '',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'a challenge is answered after its window',
    file: CHALLENGE,
    find: 'require(block.timestamp <= until || block.number <= untilBlock, TooLate(challengeId, until, untilBlock));',
    replace: '',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'silence is a fault before enough blocks passed',
    file: CHALLENGE,
    find: 'require(block.timestamp > until && block.number > untilBlock, TooEarly(challengeId, until, untilBlock));',
    replace: 'require(block.timestamp > until, TooEarly(challengeId, until, untilBlock));',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'any chunk answers a challenge',
    file: CHALLENGE,
    find: 'require(isWhole && node == challenge.valueRoot, WrongChunk(challengeId, node, challenge.valueRoot));',
    replace: '',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'a challenge is opened to a receipt that is over',
    file: CHALLENGE,
    find: 'require(epoch <= until, ReceiptOver(uint64(until), uint64(epoch)));',
    replace: '',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'a challenge is opened with the PUT of another receipt',
    file: CHALLENGE,
    find: 'body.putDigest == putDigest\n                && body.putLeaf',
    replace: 'body.putLeaf',
    tests: CHALLENGE_TESTS,
  },
  {
    name: "a challenge is opened with another stake's copy of the PUT",
    file: CHALLENGE,
    find: 'body.publisherStakeId == publisherStakeId,',
    replace: 'body.publisherStakeId != 0,',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'a challenge asks for a chunk past the end',
    file: CHALLENGE,
    find: 'require(uint256(chunkIndex) * Records.CHUNK_BYTES < body.size, BeyondSize(chunkIndex, body.size));',
    replace: '',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'a challenge is answered with an older PUT',
    file: CHALLENGE,
    find: '\n                && _isLater(what.rank, part.slot.position, part.leaf, challenge)',
    replace: '',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'bonds of challenges do not double',
    file: CHALLENGE,
    find: 'return (2 * ANSWER_GAS * fee) << doublings;',
    replace: 'return 2 * ANSWER_GAS * fee;',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'what a challenge leaves is collected twice',
    file: CHALLENGE,
    find: 'challenge.status = ChallengeStatus.Collected;',
    replace: '',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'one broken promise of a challenge is slashed twice',
    file: CHALLENGE,
    find: 'if (answers >= BROKEN) return;',
    replace: '',
    tests: CHALLENGE_TESTS,
  },
  {
    name: 'the victim of a broken promise is paid for a tombstoned publisher',
    file: CHALLENGE,
    find: 'return publisher.tombstoned ? address(0) : publisher.operator;',
    replace: 'return publisher.operator;',
    tests: CHALLENGE_TESTS,
  },
]
