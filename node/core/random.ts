/** Random bytes; a seeded one makes a whole run repeatable. */
export interface Random {
  bytes(length: number): Uint8Array
}
