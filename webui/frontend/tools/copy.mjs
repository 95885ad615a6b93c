// After the bundle: one SVG sprite of the icons in use, and the fonts the PDF report embeds.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(here, "node_modules");

const symbols = readFileSync(join(here, "tools/icons.txt"), "utf8").split(/\s+/).filter(Boolean).map((name) => {
  const svg = readFileSync(join(modules, "lucide-static/icons", `${name}.svg`), "utf8");
  const inside = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
  return `<symbol id="${name}" viewBox="0 0 24 24">${inside.replace(/\s*\n\s*/g, "")}</symbol>`;
});
const sprite = `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
writeFileSync(join(here, "../static/dist/icons.svg"), sprite);

const fonts = join(here, "../../integrations/pdf/fonts");
mkdirSync(fonts, { recursive: true });
for (const weight of ["400Regular", "600SemiBold"]) {
  const file = `NotoSansSC_${weight}.ttf`;
  copyFileSync(join(modules, "@expo-google-fonts/noto-sans-sc", weight, file), join(fonts, file));
}
