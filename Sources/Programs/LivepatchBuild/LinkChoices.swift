import Crypto
import PayloadLinker
import SourcePatch
import XenSource
import XenVersions

/// What payloads of this program say about their patches.
package enum Metadata {
    static let digestKey = "patch-sha256"

    /// The SHA-256 of a file, lower-case hexadecimal.
    package static func digest(of patch: [UInt8]) -> String { BuildIDNote.text(Array(SHA256.hash(data: patch))) }
}

extension BuildOptions {
    /// The linker's options for one target.
    func linking(for tree: XenTree, patch: AppliedPatch, compiler: String) -> LinkOptions {
        LinkOptions(
            name: PayloadName.name(for: self), abi: tree.abi, xen: tree.version, depends: payload.depends, xenDepends: payload.xenDepends,
            prelink: fix.prelink, strip: fix.strip, trustSource: fix.trustSource, expect: fix.expect,
            metadata: metadata(tree, patch, compiler: compiler), nops: fix.nops.map { LinkOptions.NOPs(function: $0.function, count: $0.count) })
    }

    /// What the payload records about how it was made. Nothing in it depends on the place or the time of the run.
    private func metadata(_ tree: XenTree, _ patch: AppliedPatch, compiler: String) -> [LinkOptions.Metadata] {
        let names = (stack.patches + input.patches).map { $0.lastComponent?.string ?? $0.string }
        let own = zip(names, patch.patches).dropFirst(stack.isReplaced ? 0 : stack.patches.count).flatMap { name, bytes in
            [LinkOptions.Metadata("patch", name), .init(Metadata.digestKey, Metadata.digest(of: bytes))]
        }
        return own + [
            .init("tool", "xsplice-build \(programVersion)"), .init("xen", tree.version.description), .init("compiler", compiler),
        ]
    }
}
