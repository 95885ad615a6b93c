import { defineConfig } from "vite";

// Stylesheets are written in px as the design gives them and built as rem, so that large type is one number on the root.
const pxToRem = {
  postcssPlugin: "px-to-rem",
  Declaration(d: { value: string; source?: { input: { file?: string } } }) {
    if (d.source?.input.file?.includes("node_modules")) return;
    d.value = d.value.replace(/(\d*\.?\d+)px\b/g, (px, n: string) => (Number(n) > 2 ? `${Number(n) / 16}rem` : px));
  },
};

export default defineConfig({
  base: "/static/dist/",
  css: { postcss: { plugins: [pxToRem as never] } },
  build: {
    target: "chrome109",
    cssTarget: "chrome109",
    outDir: "../static/dist",
    emptyOutDir: true,
    manifest: true,
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: { input: { app: "src/app.ts" } },
  },
});
