import DebugInfo
import ELFModel
import ObjectDiff
import ObjectFixtures
import SystemPackage
import TestTools
import Testing
import XenBuild

@testable import CodeListing

/// Listings of what the real compilers and binutils make.
@Suite struct ListingTests {
    /// - Parameter objdump: a shell script to use instead of the target's own program.
    private func listings(
        _ before: String, _ after: String, for target: ObjectFixtures.Target = .x86_64, prefix: String? = nil, objdump: String? = nil
    ) async throws -> [FunctionListing] {
        try await withTemporaryFolder { folder in
            try await run("mkdir", ["a", "b", "bin"], in: folder)
            if let objdump {
                _ = try write("#!/bin/sh\n\(objdump)\n", to: "bin/objdump", in: folder)
                try await run("chmod", ["+x", "bin/objdump"], in: folder)
            }
            let original = try await ObjectFixtures.compile(before, for: target, in: folder.appending("a"))
            let patched = try await ObjectFixtures.compile(after, for: target, in: folder.appending("b"))
            let changes = try ObjectFixtures.compare(original, patched, name: "test.c", for: target)
            let own = prefix ?? (target.architecture.name == "x86_64" ? "" : target.architecture.toolchainPrefix)
            return try await ListedObject(changes, original: original, patched: patched, architecture: target.architecture)
                .listings(by: Disassembler(crossPrefix: own, environment: ["PATH": "\(folder)/bin:/usr/bin:/bin"]))
        }
    }

    private static let targets: [ObjectFixtures.Target] = [.x86_64, .arm64, .arm32]

    @Test(arguments: targets) func anotherTextAndAnotherCall(target: ObjectFixtures.Target) async throws {
        let all = try await listings(
            "void gone(void); void f(u32 x) { if ( x ) gone(); sink(\"before\"); }", "void come(void); void f(u32 x) { if ( x ) come(); sink(\"after\"); }",
            for: target)
        let listing = try #require(all.first)
        #expect(all.count == 1)
        #expect(listing.name == "f")
        let changed = listing.rows.filter { $0.kind == .changed }
        #expect(changed.contains { $0.before?.text.contains("gone") == true && $0.after?.text.contains("come") == true })
        #expect(changed.contains { $0.before?.text.contains("\"before\"") == true && $0.after?.text.contains("\"after\"") == true })
        #expect(listing.count(.removed) == 0 && listing.count(.added) == 0)
        #expect(listing.remarks.contains("it calls come now"))
        #expect(listing.remarks.contains("it no longer calls gone"))
        #expect(listing.rows.contains { $0.after?.location?.line == 1 })
    }

    /// However much of a text is shown, two that differ never look the same.
    @Test(arguments: [
        ("a", "a\\n"), (String(repeating: "x", count: 300) + "1", String(repeating: "x", count: 300) + "2"), ("\\xff", "\\xfe"), ("\\\\n", "\\n"),
    ])
    func textsThatBeginAlikeDiffer(before: String, after: String) async throws {
        let all = try await listings("void f(void) { sink(\"\(before)\"); }", "void f(void) { sink(\"\(after)\"); }")
        #expect(all.first?.count(.changed) == 1, "\(all)")
    }

    /// All jumps behind the new code move, and none of them differs.
    @Test(arguments: targets) func whatOnlyMovesIsTheSame(target: ObjectFixtures.Target) async throws {
        let loop = "for ( u32 i = 0; i < x; i++ ) if ( i & 1 ) sink((void *)(u64)i); else printk(\"%u\", i);"
        let all = try await listings("void f(u32 x) { \(loop) }", "void f(u32 x) { printk(\"new\"); \(loop) }", for: target)
        let listing = try #require(all.first)
        #expect(listing.count(.added) > 0)
        // Saving a register may move; nothing of the loop may.
        #expect(listing.count(.same) > listing.rows.count / 2)
        let jumps = listing.rows.filter { $0.before?.target != nil && $0.after?.target != nil }
        #expect(!jumps.isEmpty)
        #expect(jumps.allSatisfy { $0.kind == .same })
    }

    @Test func aFunctionThatIsNoLongerInlined() async throws {
        let source = { (attribute: String) in
            "static \(attribute) u32 helper(u32 x) { sink(&x); return x * 3; } u32 f(u32 x) { return helper(x) + 1; }"
        }
        let all = try await listings(source("inline __attribute__((__always_inline__))"), source("noinline"))
        let listing = try #require(all.first { $0.name == "f" })
        #expect(listing.remarks.contains("helper is no longer inlined: it is called"))
        let helper = try #require(all.first { $0.name == "helper" })
        #expect(helper.isNew)
        #expect(helper.rows.allSatisfy { $0.kind == .added })
        let back = try await listings(source("noinline"), source("inline __attribute__((__always_inline__))"))
        #expect(back.first { $0.name == "f" }?.remarks.contains("helper is inlined now: it was called") == true)
    }

    @Test func aLineNumberIsSaidToBeOne() async throws {
        let all = try await listings(
            "void f(u32 x) { if ( x ) printk(\"%u\", __LINE__); }", "\n\nvoid f(u32 x) { if ( x ) printk(\"%u\", __LINE__); }")
        #expect(all.first?.remarks == ["one number that differs is that of its source line"])
    }

    /// A static variable gets another number; it is still the same one.
    @Test func otherNumbersOfStaticVariablesAreNoDifference() async throws {
        let all = try await listings(
            "u32 f(u32 x) { static u32 n; n += x; sink(&n); return n; }",
            "void g(void) { static u32 n; sink(&n); n++; } u32 f(u32 x) { static u32 n; n += x; sink(&n); return n + 1; }")
        let listing = try #require(all.first { $0.name == "f" })
        #expect(listing.rows.filter { $0.kind == .changed }.allSatisfy { !($0.after?.text.contains("n.") ?? false) }, "\(listing.rows)")
    }

    /// What is behind the displacement moves the place that it counts from; the variable is still the same one.
    @Test func aValueBehindTheAddressIsNoDistance() async throws {
        let declaration = "extern u32 limit; extern unsigned short half; extern unsigned char byte;"
        let all = try await listings(
            "\(declaration) void f(void) { limit = 3; half = 3; byte = 3; }", "\(declaration) void f(void) { limit = 0; half = 5; byte = 6; }")
        let texts = try #require(all.first).rows.compactMap(\.after?.text)
        for text in ["movl $0x0,limit(%rip)", "movb $0x6,byte(%rip)"] { #expect(texts.contains(text), "\(texts)") }
    }

    /// One name, and another function: the file's own before, another object's behind.
    @Test func anotherFunctionOfTheSameNameDiffers() async throws {
        let own = "static noinline void h(void) { sink((void *)1L); }", other = "extern void h(void);"
        let user = { (value: Int) in "void f(void) { h(); sink((void *)\(value)L); }" }
        for (before, after) in [(own, other), (other, own)] {
            let all = try await listings("\(before) \(user(1))", "\(after) \(user(2))")
            let calls = try #require(all.first { $0.name == "f" }).rows.filter { $0.after?.callee?.hasPrefix("h") == true }
            #expect(calls.count == 1)
            #expect(calls.first?.kind == .changed, "\(calls)")
        }
    }

    @Test(arguments: [
        "exec /usr/bin/objdump \"$@\" | head -n 9", "exit 0", "exec /usr/bin/objdump \"$@\" | sed 's/c3 /c2 /'", "exec /usr/bin/objdump \"$@\" | sed /ret/d",
        "exec /usr/bin/objdump \"$@\" | sed 's/section .*:/section other:/'",
    ])
    func whatIsNotTheCodeIsNoListing(objdump: String) async throws {
        let source = { (text: String) in "u32 f(u32 x) { sink(\"\(text)\"); sink(&x); return x; }" }
        #expect(try await listings(source("a"), source("b")).count == 1)
        await #expect(throws: BuildError.self) { _ = try await listings(source("a"), source("b"), objdump: objdump) }
    }

    @Test func aMissingDisassemblerIsNamed() async throws {
        await #expect(throws: BuildError.self) {
            _ = try await listings("u32 f(void) { return 1; }", "u32 f(void) { return 2; }", prefix: "no-such-target-")
        }
    }

    /// A name is no line of its own: control characters in symbols come out escaped. An assembler does not take such names; an ELF file has any.
    @Test func aHostileSymbolMakesNoLine() async throws {
        try await withTemporaryFolder { folder in
            _ = try await ObjectFixtures.compile("void f(void) { sink((void *)1L); }", in: folder)
            try await run("objcopy", ["--redefine-sym", "sink=x\n   0:\tforged", "--redefine-sym", "f=f>:\n   0:\tforged", "test.o", "hostile.o"], in: folder)
            let lines = try await Disassembler(crossPrefix: "", environment: ["PATH": "/usr/bin:/bin"])
                .lines(of: folder.appending("hostile.o"), sections: [".text.f"])
            let texts = try #require(lines[".text.f"]?.first)
            #expect(texts.count > 1 && texts.allSatisfy { !$0.text.hasPrefix("forged") }, "\(texts)")
        }
    }

    /// Whatever the listing shows as the same must be the same to another reader: each call, jump and text of objdump's own output is in it.
    @Test(arguments: targets) func everyInstructionIsListedOnce(target: ObjectFixtures.Target) async throws {
        let all = try await listings("u32 f(u32 x) { return x / 7; }", "u32 f(u32 x) { printk(\"a\"); return x / 9 + (x ^ 5); }", for: target)
        let listing = try #require(all.first)
        for side in [listing.rows.compactMap(\.before), listing.rows.compactMap(\.after)] {
            #expect(side.map(\.offset) == side.map(\.offset).sorted())
            #expect(Set(side.map(\.offset)).count == side.count)
            #expect(side.first?.offset == 0)
        }
    }
}
