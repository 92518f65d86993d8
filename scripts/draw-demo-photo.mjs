// Draws examples/ocr/receipt.jpg: a receipt that lies askew on a table. The repository keeps the picture because fonts differ
// between machines.
import sharp from 'sharp';

const lines = [
  [70, 'CORNER CAFE', 44, 'DejaVu Sans', 'bold'],
  [170, 'Almond croissant 3.10', 28],
  [226, 'Sparkling water 1.90', 28],
  [282, 'Glass of milk 2.40', 28],
  [366, 'Total amount 7.40', 32],
  [436, 'Thank you for your visit', 26],
];
const text = lines.map(
  ([y, content, size, font = 'DejaVu Sans Mono', weight = 'normal']) =>
    `<text x="250" y="${y}" text-anchor="middle" font-family="${font}" font-weight="${weight}" font-size="${size}">${content}</text>`,
);
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="720" height="640">
  <defs>
    <linearGradient id="table" x2="1" y2="1"><stop stop-color="#8a6a4d"/><stop offset="1" stop-color="#5e4632"/></linearGradient>
    <linearGradient id="paper" x2="1" y2="1"><stop stop-color="#fdfcf7"/><stop offset="1" stop-color="#dcd8cc"/></linearGradient>
  </defs>
  <rect width="720" height="640" fill="url(#table)"/>
  <g transform="translate(112 72) rotate(-4 250 245)" fill="#26282c">
    <rect x="8" y="10" width="500" height="490" fill="#000" opacity="0.25"/>
    <rect width="500" height="490" fill="url(#paper)"/>
    ${text.join('\n    ')}
  </g>
</svg>`;
await sharp(Buffer.from(svg)).jpeg({ quality: 85 }).toFile('examples/ocr/receipt.jpg');
