/** The styles of the page. */
export const STYLE = `
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
body { color: #16191d; background: #ffffff; overflow-wrap: anywhere; }
p { max-width: 76ch; margin: 0 0 0.6rem; }
h1 + p { font-size: 1.25rem; font-weight: 600; }
table { margin-bottom: 1.5rem; border-collapse: collapse; }
table { font-size: 0.85rem; font-variant-numeric: tabular-nums; }
caption { text-align: start; font-weight: 600; }
th, td { padding: 0.3rem 0.6rem; border: 1px solid #d9dde2; text-align: start; vertical-align: top; }
thead th { position: sticky; top: 0; background: #f5f7f9; }
tbody th { font-weight: normal; }
tfoot { font-weight: bold; }
.number { text-align: end; white-space: nowrap; }
@media print { html { font-size: 11px; } nav { display: none; } tr { break-inside: avoid; } }
`;
