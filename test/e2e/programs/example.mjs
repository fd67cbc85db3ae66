// The example of the README, as somebody who installed the package would run it: only the seed's two words are given.
import { SuprnovaDHT } from 'suprnova'

const dht = new SuprnovaDHT({ biometricId: 'a hash of a template', egiCoordinator: 'https://current-reality.eth' })
await dht.start()
const tell = (what, value) => process.stdout.write(`${JSON.stringify({ [what]: value })}\n`)

/** Tables hold a stake from the epoch after it was bonded; until then there is nobody to hold a record. */
async function stored(key, value) {
  for (;;) {
    try {
      return await dht.storeState(key, value)
    } catch (error) {
      if (error.exitCode !== 75) throw error
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

const { receipts } = await stored('greeting', 'hello')
tell('receipts', receipts.length)
const { quorum, value } = await dht.retrieveState('greeting')
tell('read', { text: Buffer.from(value).toString(), quorum })
const { peers, hops } = await dht.discoverPeers({ key: 'greeting' })
tell('peers', { found: peers.length, hops })
await dht.announcePresence({ agentId: 'scout', position: [3, 4, 0], capabilities: ['look'] })
await dht.announcePresence({ agentId: 'far', position: [300, -4, 0], capabilities: ['look'] })
const agents = await dht.queryLocal([0, 0, 0], 5)
tell('agents', agents.map(({ position, presence }) => ({ position, capabilities: presence.capabilities })))
tell('cell', dht.hashPosition([3, 4, 0]) === dht.routingTable.getRange([3, 4, 0], 0)[0].recordKey)
tell('random', new Set(dht.getRandomPeers(3).map(({ stakeId }) => stakeId)).size)
tell('closest', dht.routingTable.findClosest('greeting').length)
const heard = new Promise((resolve) => dht.onMessage(resolve, 'talk'))
tell('gossip', await dht.gossipMessage({ from: 'scout', to: 'all', payload: 'here', topic: 'talk' }))
void heard
await dht.stop()
tell('done', true)
