/** What tells one content from another. */
export interface Offer {
  readonly contentId?: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Whether two offers are the same, as far as they say what they are. */
export function isSameOffer(left: Offer, right: Offer): boolean {
  if (left.contentId !== undefined && right.contentId !== undefined)
    return left.contentId === right.contentId;
  return left.sizeBytes === right.sizeBytes && left.modifiedMs === right.modifiedMs;
}
