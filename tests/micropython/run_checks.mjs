// Runs the portable checks under the real MicroPython interpreter, all in one node process.
//
//     node run_checks.mjs < plan.json        plan: {package, files: {path in MicroPython: path here}, modules: [name]}
//
// `package` is the folder of the npm package of MicroPython. Prints one line of JSON for each check: module, check,
// error (null if it passed) and milliseconds. Control returns to JavaScript after each check, because MicroPython
// collects its garbage only then.
import { createCipheriv, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const HEAP = 64 * 1024 * 1024;

const plan = JSON.parse(readFileSync(0, "utf8"));
const { loadMicroPython } = await import(pathToFileURL(plan.package + "/micropython.mjs"));
const micropython = await loadMicroPython({
    heapsize: HEAP,
    stdout: (line) => process.stderr.write(line + "\n"),
});

function makeFolder(path) {
    if (path !== "/" && !micropython.FS.analyzePath(path).exists) {
        makeFolder(dirname(path));
        micropython.FS.mkdir(path);
    }
}

for (const [path, source] of Object.entries(plan.files)) {
    makeFolder(dirname(path));
    micropython.FS.writeFile(path, readFileSync(source));
}

// A JavaScript exception cannot be caught in Python, so these get only what cannot make them throw.
micropython.registerJsModule("host", {
    aes(mode, key, iv, data) {
        const cipher = createCipheriv(mode, Buffer.from(key, "hex"), iv ? Buffer.from(iv, "hex") : null);
        cipher.setAutoPadding(false);
        return Buffer.concat([cipher.update(Buffer.from(data, "hex")), cipher.final()]).toString("hex");
    },
    random: (count) => randomBytes(count).toString("hex"),
});

// Without this, node prints the interpreter's one line of 100,000 characters before the error.
process.on("uncaughtException", (error) => {
    process.stderr.write((error.message ?? String(error)) + "\n");
    process.exit(1);
});

micropython.runPython("import sys; sys.path[:] = ['/lib', '/checks', '.frozen']; import runner");
for (const module of plan.modules) {
    micropython.runPython(`_ = runner.names('${module}')`);
    for (const check of JSON.parse(micropython.globals.get("_"))) {
        const began = performance.now();
        micropython.runPython(`_ = runner.run('${module}', '${check}')`);
        const error = micropython.globals.get("_");
        const milliseconds = Math.round(performance.now() - began);
        process.stdout.write(JSON.stringify({ module, check, error, milliseconds }) + "\n");
    }
}
