import { flag, list, value, valueOr } from './option.ts'
import { parsePositiveAmount } from './values/amount.ts'
import { hexBytes, parseAddress } from './values/hex.ts'
import { parseCoordinator, parseEnsName, parseLoopback, parseMultiaddr, parseUrl } from './values/network.ts'
import { decimal, parsePort, wholeNumber } from './values/number.ts'
import { oneOf, parseText } from './values/text.ts'

/** Where Hardhat's chain listens unless told otherwise. */
export const LOCAL_RPC = 'http://127.0.0.1:8545'
/** The name under which the coordinator is found. */
export const DEFAULT_COORDINATOR = 'current-reality.eth'

/** Options of every command. */
export const COMMON = {
  help: flag({ summary: 'Show this help', sources: 'flag-only' }),
  json: flag({ summary: 'Print exactly one JSON document on stdout' }),
  config: value({
    placeholder: 'FILE',
    summary: 'Config file (default: suprnova.json in the data directory)',
    parse: parseText,
    sources: 'no-config',
  }),
  dataDir: valueOr('~/.suprnova', { placeholder: 'DIR', summary: 'Data directory', parse: parseText }),
}

/**
 * Every other option there is. A config file may name any of them; a command takes the ones it lists.
 * One name means one thing everywhere.
 */
export const OPTION = {
  // --- which chain, which coordinator
  rpc: list({
    placeholder: 'URL',
    summary: `RPC of the chain; repeat for failover (default: ${LOCAL_RPC})`,
    parse: parseUrl,
  }),
  coordinator: value({
    placeholder: 'NAME',
    summary: `ENS name of the coordinator, plain or as a URL, or its address (default: ${DEFAULT_COORDINATOR})`,
    parse: parseCoordinator,
  }),
  ensRegistry: value({
    placeholder: 'ADDRESS',
    summary: "ENS registry (default: the deployment file's, else the chain's own)",
    parse: parseAddress,
  }),
  deployment: value({
    placeholder: 'FILE',
    summary: 'Deployment file (default: deployment.json in the data directory, if there is one)',
    parse: parseText,
  }),
  registry: value({ placeholder: 'ADDRESS', summary: 'StakeRegistry, instead of a coordinator', parse: parseAddress }),
  court: value({ placeholder: 'ADDRESS', summary: 'FaultCourt, instead of a coordinator', parse: parseAddress }),
  chainId: value({ placeholder: 'N', summary: 'Chain id', parse: wholeNumber(1, Number.MAX_SAFE_INTEGER) }),
  salt: value({
    placeholder: 'HEX',
    summary: "Salt of the deployment's signing domain, 32 bytes",
    parse: hexBytes(32, 'a salt'),
  }),
  acceptCoordinator: value({
    placeholder: 'ADDRESS',
    summary: 'Pin this coordinator in place of the pinned one',
    parse: parseAddress,
  }),

  // --- keys
  operatorKey: value({
    placeholder: 'KEY',
    summary: 'Operator key: a keystore file or the name of a key (default: operator)',
    parse: parseText,
  }),
  nodeKey: value({
    placeholder: 'KEY',
    summary: 'Node key: a keystore file or the name of a key (default: node)',
    parse: parseText,
  }),
  gasKey: value({
    placeholder: 'KEY',
    summary: 'Key that pays for transactions: a keystore file or the name of a key (default: gas)',
    parse: parseText,
  }),
  newNodeKey: value({
    placeholder: 'KEY',
    summary: 'New node key: a keystore file or the name of a key',
    parse: parseText,
  }),
  key: value({ placeholder: 'KEY', summary: 'Key: a keystore file or the name of a key', parse: parseText }),
  passwordFile: value({
    placeholder: 'FILE',
    summary: 'File whose first line is the password of the keys',
    parse: parseText,
  }),
  oldPasswordFile: value({
    placeholder: 'FILE',
    summary: 'File whose first line is the old password',
    parse: parseText,
  }),
  raw: flag({ summary: 'The bare private key', sources: 'flag-only' }),
  privateNetwork: flag({ summary: 'Encrypt lightly (scrypt N = 4096): for keys of private networks, worth nothing' }),
  file: value({ placeholder: 'FILE', summary: 'File to read', parse: parseText, sources: 'no-config' }),
  out: value({ placeholder: 'FILE', summary: 'File to write', parse: parseText }),
  force: flag({ summary: 'Overwrite the file that is there', sources: 'flag-only' }),
  yes: flag({ summary: 'Ask nothing; take the defaults and go ahead', sources: 'flag-only' }),
  biometricHash: value({
    placeholder: 'HEX',
    summary: 'Hash of a biometric template, 32 bytes',
    parse: hexBytes(32, 'a hash'),
  }),
  biometricHashFile: value({
    placeholder: 'FILE',
    summary: 'File with the hash of a biometric template',
    parse: parseText,
  }),

  // --- amounts and people
  amount: value({ placeholder: 'EGI', summary: 'Amount of EGI, with decimals', parse: parsePositiveAmount }),
  to: value({ placeholder: 'ADDRESS', summary: 'Who receives', parse: parseAddress }),
  beneficiary: value({ placeholder: 'ADDRESS', summary: 'Who is credited rewards', parse: parseAddress }),
  address: value({ placeholder: 'ADDRESS', summary: 'Whose', parse: parseAddress }),
  stake: value({ placeholder: 'ID', summary: 'Stake id', parse: wholeNumber(1, Number.MAX_SAFE_INTEGER) }),
  renew: flag({ summary: 'Set a missed draw anew', sources: 'flag-only' }),
  take: flag({ summary: 'Pay out', sources: 'flag-only' }),
  wait: flag({ summary: 'Wait until it can be done' }),
  dryRun: flag({ summary: 'Simulate only; show the consequences and the gas', sources: 'flag-only' }),

  // --- a chain of one's own
  port: valueOr('8545', { placeholder: 'PORT', summary: 'Port on 127.0.0.1; 0 takes a free one', parse: parsePort }),
  blockTime: valueOr('1', {
    placeholder: 'SECONDS',
    summary: 'Seconds from block to block; 0 mines each transaction at once',
    parse: wholeNumber(0, 3_600),
  }),
  params: value({
    placeholder: 'NAME',
    summary: 'Protocol parameters: dev, exit or public (default: dev on local chains, else public)',
    parse: oneOf('dev', 'exit', 'public'),
  }),
  ensName: valueOr(DEFAULT_COORDINATOR, {
    placeholder: 'NAME',
    summary: 'ENS name to give the coordinator',
    parse: parseEnsName,
  }),
  minStake: valueOr('1000', { placeholder: 'EGI', summary: 'Minimum stake', parse: parsePositiveAmount }),

  // --- a node
  listen: list({
    placeholder: 'MULTIADDR',
    summary: 'Address to listen on; may be repeated (default: /ip4/0.0.0.0/tcp/4001)',
    parse: parseMultiaddr,
  }),
  bootstrap: list({
    placeholder: 'MULTIADDR',
    summary: "Peer to dial first; may be repeated (default: the name's suprnova.bootstrap record)",
    parse: parseMultiaddr,
  }),
  http: value({
    placeholder: 'HOST:PORT',
    summary: 'Serve /health, /ready and /metrics on loopback',
    parse: parseLoopback,
  }),
  topic: list({ placeholder: 'TOPIC', summary: 'Gossip topic; may be repeated', parse: parseText }),
  fanout: valueOr('4', { placeholder: 'N', summary: 'Degree of the gossip mesh', parse: wholeNumber(1, 12) }),
  confirmations: value({
    placeholder: 'N',
    summary: 'Blocks before a key may speak (default: 0 on local chains, else 2)',
    parse: wholeNumber(0, 256),
  }),
  logLevel: valueOr('info', {
    placeholder: 'LEVEL',
    summary: 'Least level that is logged on stderr: debug, info, warn or error',
    parse: oneOf('debug', 'info', 'warn', 'error'),
  }),
  count: value({ placeholder: 'N', summary: 'End after so many', parse: wholeNumber(1, 1_000_000_000) }),

  maxRecordBytes: value({
    placeholder: 'BYTES',
    summary: 'Bytes of records to hold for others at most',
    parse: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  }),
  answers: valueOr('all', {
    placeholder: 'WHOSE',
    summary: 'Challenges to answer: own, or all (late in their window those to others too)',
    parse: oneOf('own', 'all'),
  }),

  // --- records
  owner: value({
    placeholder: 'ID',
    summary: "Stake whose record it is (default: the node's own)",
    parse: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  }),
  replicas: value({ placeholder: 'R', summary: 'Replicas that hold it (default: 3)', parse: wholeNumber(1, 20) }),
  quorum: value({
    placeholder: 'W',
    summary: 'Receipts after which a store is done (default: 2)',
    parse: wholeNumber(1, 20),
  }),
  keep: flag({
    summary: 'Sign it anew before each end, as long as the node runs',
    sources: 'flag-only',
  }),
  light: flag({ summary: 'Read without a node, a stake or a key', sources: 'flag-only' }),
  snapshot: value({
    placeholder: 'FILE',
    summary: 'The same, with what this snapshot of the registry says in place of an RPC',
    parse: parseText,
    sources: 'no-config',
  }),
  limit: valueOr('100', { placeholder: 'N', summary: 'Show so many at most', parse: wholeNumber(1, 10_000) }),
  export: value({
    placeholder: 'ID',
    summary: 'Print the receipt with this id, as a challenge needs it',
    parse: parseText,
  }),
  recordName: value({ placeholder: 'NAME', summary: 'Only those for the record of this name', parse: parseText }),
  radius: valueOr('10', { placeholder: 'R', summary: 'Radius, in units of the world', parse: decimal }),
  world: valueOr('3d', {
    placeholder: 'WORLD',
    summary: '1d, 2d, 3d, chess, or JSON of name, dimension, baseLevel, radius, maxSpeed, stalenessSeconds',
    parse: parseText,
  }),
  capability: list({ placeholder: 'WORD', summary: 'What it can do; may be repeated', parse: parseText }),
  consistency: valueOr('quorum', {
    placeholder: 'HOW',
    summary: 'quorum misses nothing acknowledged; one asks a single replica a cell',
    parse: oneOf('quorum', 'one'),
  }),
  chunk: value({
    placeholder: 'I',
    summary: 'Chunk of 1 KiB to ask for (default: one at random)',
    parse: wholeNumber(0, 63),
  }),
  conclude: flag({ summary: 'After the deadline, slash for silence' }),
  value: value({
    placeholder: 'VALUE',
    summary: 'File with the whole value; - reads standard input',
    parse: parseText,
    sources: 'flag-only',
  }),
  superseded: value({ placeholder: 'FILE', summary: 'Receipt file whose PUT is a later one', parse: parseText }),

  // --- stories and measurements
  nodes: value({ placeholder: 'N', summary: 'Number of nodes', parse: wholeNumber(2, 64) }),
  quick: flag({ summary: 'A short run, for a first impression' }),
  lie: flag({ summary: 'Make one node equivocate', sources: 'flag-only' }),
}
