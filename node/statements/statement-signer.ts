import type { Domain, MeshKind, MeteredKind, SignedStatement, Signer, SigningGuard, Statement } from '../core/index.ts'
import { decodeBody } from './bodies/index.ts'
import { DomainSeparator, statementDigest } from './digest.ts'
import { EncodeError } from './errors.ts'
import { encodeFrame, encodeLeafFrames } from './frame.ts'
import { isScopeVoid, kindRule } from './kinds.ts'
import { type MerkleTree, merkleTree } from './merkle.ts'

export interface StatementSignerModules {
  readonly guard: Pick<SigningGuard, 'reserve' | 'remember' | 'signMesh'>
  readonly signer: Signer
  readonly domain: Domain | DomainSeparator
}

/** A statement just signed, ready to be sent. */
export interface SignedFrame {
  /** All bodies in one wire frame. */
  readonly frame: Uint8Array
  /** Each body in a wire frame of its own, with its path. */
  leafFrames(): Uint8Array[]
  readonly signed: SignedStatement
  readonly statement: Statement
  /** 32 bytes. */
  readonly digest: Uint8Array
}

/**
 * The only way from bodies to a signature: every position comes from the signing guard.
 *
 * @example
 * const statements = new StatementSigner({ guard, signer, domain })
 * const { frame } = await statements.sign(KIND.gossip, [encodeGossip({ topicHash: topicHash('chess'), payload })])
 */
export class StatementSigner {
  readonly #modules: StatementSignerModules
  readonly #domain: DomainSeparator

  constructor(modules: StatementSignerModules) {
    this.#modules = modules
    this.#domain = modules.domain instanceof DomainSeparator ? modules.domain : new DomainSeparator(modules.domain)
  }

  /**
   * Signs `bodies` (packed) together, at the next index of this epoch.
   * @throws {EncodeError} for none or too many bodies
   * @throws {DecodeError} for a body that no node would accept
   * @throws SuprnovaError `GUARD_REFUSED`
   */
  async sign(kind: MeteredKind, bodies: readonly Uint8Array[]): Promise<SignedFrame> {
    checkBodies(kind, bodies)
    const tree = merkleTree(bodies)
    const content = tree.root
    const { guard, signer } = this.#modules
    const position = await guard.reserve(kind)
    const statement: Statement = {
      kind,
      scope: new Uint8Array(32),
      position,
      content,
    }
    const digest = statementDigest(this.#domain, statement)
    guard.remember(kind, position, digest)
    return this.#frame(statement, digest, signer.sign(digest), { bodies, tree })
  }

  /**
   * Signs one body in a mesh slot. The same body again gives the stored signature.
   * @throws {EncodeError} for a zero scope
   * @throws {DecodeError} for a body that no node would accept
   * @throws SuprnovaError `GUARD_REFUSED`, for another body of a slot among others
   */
  async signMesh(kind: MeshKind, scope: Uint8Array, meshSlot: bigint, body: Uint8Array): Promise<SignedFrame> {
    checkBodies(kind, [body])
    if (scope.length !== 32 || isScopeVoid(kind, scope)) {
      throw new EncodeError('statement', 'scope', `a ${kindRule(kind).name} needs 32 bytes that are not all zero`)
    }
    const tree = merkleTree([body])
    const statement = {
      kind,
      scope,
      position: meshSlot,
      content: tree.root,
    }
    const digest = statementDigest(this.#domain, statement)
    const { guard, signer } = this.#modules
    const entry = await guard.signMesh(statement, digest, body, () => signer.sign(digest))
    return this.#frame(statement, digest, entry.signature, { bodies: [body], tree })
  }

  #frame(
    statement: Statement,
    digest: Uint8Array,
    signature: Uint8Array,
    { bodies, tree }: { readonly bodies: readonly Uint8Array[]; readonly tree: MerkleTree },
  ): SignedFrame {
    const signed = {
      signer: this.#modules.signer.address,
      statement,
      signature,
    }
    return {
      signed,
      statement,
      digest,
      get frame() {
        return encodeFrame(signed, bodies)
      },
      leafFrames: () => encodeLeafFrames(signed, bodies, tree),
    }
  }
}

function checkBodies(kind: MeteredKind | MeshKind, bodies: readonly Uint8Array[]): void {
  const { maxBodies, name } = kindRule(kind)
  if (bodies.length === 0 || bodies.length > maxBodies) {
    throw new EncodeError('statement', 'bodies', `${bodies.length} given, ${name} takes 1 to ${maxBodies}`)
  }
  for (const body of bodies) decodeBody(kind, body)
}
