import ArchARM32
import ArchARM64
import ArchX86_64
import FoundationEssentials
import SystemPackage
import TargetArchitecture
import Testing
import XenSource

#if canImport(Glibc)
import Glibc
#endif

@Suite struct OwnCodeScratch {
    @Test func all() async throws {
        guard let spec = getenv("XSPLICE_OWN").map({ String(cString: $0) }) else { return }
        let parts = spec.split(separator: ":").map(String.init)
        let all: [any TargetArchitecture] = [ArchX86_64(), ArchARM64(), ArchARM32()]
        let architecture = try #require(all.first { $0.name == parts[0] })
        let tree = FilePath(parts[1])
        let own = try OwnCode(symbols: tree.appending("xen/xen-syms"), tree: tree, architecture: architecture)
        var (count, equal, errors, loaded) = (0, 0, 0, 0)
        for object in try await own.objects() {
            guard let set = try own.comparison(of: object) else { continue }
            let functions = own.functions(of: set)
            if functions.isEmpty { continue }
            count += functions.count
            let outcome = try own.link(functions, of: set, name: "own")
            for unequal in outcome.unequal { print("UNEQUAL", object, unequal.name, unequal.difference) }
            for diagnostic in outcome.diagnostics where diagnostic.severity == .error && diagnostic.id != .originalDiffers {
                errors += 1
                print("ERROR", object, diagnostic.id.rawValue, diagnostic.message)
            }
            if let payload = outcome.payload {
                equal += payload.verifiedFunctions
                let result = own.load(payload)
                if result.verdict == .accepted { loaded += 1 } else { print("LOAD", object, result.verdict) }
            }
        }
        print("SUMMARY functions", count, "equal", equal, "errors", errors, "loaded payloads", loaded)
    }
}
