// The real MicroPython interpreter under node: how it is loaded, filled with files, and given what its port lacks.
//
// Used by the simulated processor (processor.mjs) and by the portable checks of tests/micropython.
import { createCipheriv } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

// The collector takes whatever looks like an address for one. In this memory, which begins at zero, pairs of small
// numbers do, and pieces of the byte code (which a device has in flash), and hold for days what nobody knows any more.
// So the heap lies where neither is found: no instruction begins with 1D, and none with an argument with 90 to CF.
// What is left free below takes no memory of the machine.
const BELOW = 0x1d900000; // bytes

// Load the interpreter from the folder of its npm package. Its heap begins with `heapsize` bytes and grows by itself;
// `print(bytes)` gets what it prints, both streams alike.
export async function load(folder, heapsize, print) {
    const { loadMicroPython } = await import(pathToFileURL(join(folder, "micropython.mjs")));
    whenThereIsMemory((memory) => memory._malloc(BELOW));
    const micropython = await loadMicroPython({ heapsize, linebuffer: false, stdout: print, stderr: print });
    micropython.registerJsModule("host_aes", { encrypt });
    return micropython;
}

// Put one file where the interpreter sees it.
export function writeFile(micropython, path, content) {
    makeFolder(micropython.FS, dirname(path));
    micropython.FS.writeFile(path, content);
}

// Put a folder and all that is in it at `target`.
export function copyFolder(micropython, folder, target) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const [source, path] = [join(folder, entry.name), `${target}/${entry.name}`];
        if (entry.isDirectory()) copyFolder(micropython, source, path);
        else writeFile(micropython, path, readFileSync(source));
    }
}

// Report what ends the process in one line: node would first print the interpreter's only one, of 100,000 characters.
export function reportErrors() {
    process.on("uncaughtException", (error) => {
        process.stderr.write((error.message ?? String(error)) + "\n");
        process.exit(1);
    });
}

// The package names its module, which has the memory, in a global just before it makes the heap.
function whenThereIsMemory(action) {
    Object.defineProperty(globalThis, "Module", {
        configurable: true,
        set(module) {
            Object.defineProperty(globalThis, "Module", { value: module, writable: true });
            action(module);
        },
    });
}

function makeFolder(files, path) {
    if (path !== "/" && !files.analyzePath(path).exists) {
        makeFolder(files, dirname(path));
        files.mkdir(path);
    }
}

// The AES that cryptolib.py needs; hexadecimal text in and out. A JavaScript exception cannot be caught in Python, so
// cryptolib.py lets nothing through that could raise one here.
function encrypt(mode, key, iv, data) {
    const cipher = createCipheriv(mode, Buffer.from(key, "hex"), iv ? Buffer.from(iv, "hex") : null);
    cipher.setAutoPadding(false);
    return Buffer.concat([cipher.update(Buffer.from(data, "hex")), cipher.final()]).toString("hex");
}
