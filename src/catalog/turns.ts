/**
 * Work on one server happens one after the other, work on different servers at once.
 *
 * Listings, decisions and restores of a server take such turns: otherwise a listing could undo a
 * decision while it is stored, or a decision could approve a definition that the operator never
 * saw.
 */
export type InTurn = <Result>(server: string, work: () => Promise<Result>) => Promise<Result>;

export function createTurns(): InTurn {
  /** Server to the last of its turns; never rejects. */
  const turns = new Map<string, Promise<unknown>>();
  return (server, work) => {
    const turn = (turns.get(server) ?? Promise.resolve()).then(work);
    turns.set(server, turn.catch(() => {}));
    return turn;
  };
}
