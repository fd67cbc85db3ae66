import { createRequire } from 'node:module'
import toolboxViem from '@nomicfoundation/hardhat-toolbox-viem'
import { defineConfig } from 'hardhat/config'

// solc comes from npm: naming its path keeps Hardhat from downloading a compiler.
const compiler = {
  version: '0.8.37',
  path: createRequire(import.meta.url).resolve('solc/soljson.js'),
  settings: { viaIR: true, optimizer: { enabled: true, runs: 10_000 }, evmVersion: 'cancun' },
}

export default defineConfig({
  plugins: [toolboxViem],
  solidity: {
    profiles: {
      default: { compilers: [compiler] },
      production: { compilers: [compiler] },
    },
  },
})
