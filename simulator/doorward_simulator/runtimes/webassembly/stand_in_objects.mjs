// How much of the heap the modules take that stand for the board's own: their code, and what loading them leaves behind.
//
//     node stand_in_objects.mjs --package FOLDER --image FOLDER --modules NAME,NAME,...
//
// Nothing of them is called, so what they keep later is not in the figure. Prints the bytes after a forced collection.
import { parseArgs } from "node:util";
import { copyFolder, load, reportErrors } from "./interpreter.mjs";

const { values: options } = parseArgs({
    options: { package: { type: "string" }, image: { type: "string" }, modules: { type: "string" } },
});
reportErrors();
const micropython = await load(options.package, 4 * 1024 * 1024, (data) => process.stderr.write(data));
copyFolder(micropython, options.image, "");
micropython.registerJsModule("host", { reach: () => {}, exit: () => {} });
const before = "import gc, sys, os, time, random, struct, binascii, asyncio; sys.path[:] = ['/stubs', '.frozen', '/slot_a']; from doorward_protocol import cbor";
micropython.runPython(before + "\ncollect, allocated = gc.collect, gc.mem_alloc");
const [collect, allocated] = ["collect", "allocated"].map((name) => micropython.globals.get(name));
function measure() {
    collect();
    return allocated();
}
measure();
const empty = measure();
for (const name of options.modules.split(",")) micropython.runPython(`__import__("${name}")`);
process.stdout.write(String(measure() - empty));
