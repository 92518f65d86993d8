// Draws examples/ocr/line.png. The repository keeps the picture because fonts differ between machines.
import sharp from 'sharp';

const text = 'Sliced inference reads this line';
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="560" height="48">
  <rect width="560" height="48" fill="#fdfcf7"/>
  <text x="12" y="34" font-family="DejaVu Sans" font-size="30" fill="#1b1f24">${text}</text>
</svg>`;
await sharp(Buffer.from(svg)).png({ compressionLevel: 9, palette: true }).toFile('examples/ocr/line.png');
