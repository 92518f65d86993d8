export function stackingToken(plan: { readonly planDigest: string }, items: number): string { return `${plan.planDigest.slice(0,12)}-${items}`; }
