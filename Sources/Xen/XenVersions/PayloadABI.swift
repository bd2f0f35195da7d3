/// One of the payload formats that Xen's versions understand: the names and sizes that differ between them.
///
/// Sources: `xen/include/public/sysctl.h` (`struct livepatch_func`, `LIVEPATCH_PAYLOAD_VERSION`) and
/// `xen/include/xen/livepatch.h` (section names) of the Xen version concerned.
package struct PayloadABI: Sendable, Equatable, Codable {
    package enum Format: String, Sendable, Codable, CaseIterable { case xsplice, livepatch }

    package var format: Format
    /// The `version` field of each entry in `.livepatch.funcs`.
    package var version: UInt8
    /// Whether the hypervisor calls hooks when a payload is loaded and unloaded, and whether an entry without a new function writes NOPs. Both
    /// came with Xen 4.8. Before, the loader loads sections of hooks and ignores them.
    package var takesHooksAndNOPs: Bool

    package init(format: Format, version: UInt8, takesHooksAndNOPs: Bool = true) {
        self.format = format
        self.version = version
        self.takesHooksAndNOPs = takesHooksAndNOPs
    }

    /// Xen 4.7 while it was developed, until June 2016.
    package static let xspliceV1 = PayloadABI(format: .xsplice, version: 1, takesHooksAndNOPs: false)
    /// Xen 4.7.
    package static let livepatchV1Of47 = PayloadABI(format: .livepatch, version: 1, takesHooksAndNOPs: false)
    /// Xen 4.8 to 4.13.
    package static let livepatchV1 = PayloadABI(format: .livepatch, version: 1)
    /// Xen 4.14 and later.
    package static let livepatchV2 = PayloadABI(format: .livepatch, version: 2)

    package var displayName: String { "\(format.rawValue) v\(version)" }
    /// The suffix of the payload's file name, without the dot.
    package var fileSuffix: String { format.rawValue }
    package var hostTool: String { "xen-\(format.rawValue)" }

    private var prefix: String { ".\(format.rawValue)" }
    package var functionsSection: String { "\(prefix).funcs" }
    /// The section of the names that `funcs` entries point to; any loaded section would do.
    package var stringsSection: String { "\(prefix).strings" }
    package var dependsSection: String { "\(prefix).depends" }
    /// Nil when the format has no dependency on the hypervisor itself (before v2).
    package var xenDependsSection: String? { version >= 2 ? "\(prefix).xen_depends" : nil }
    package var buildIDSection: String { ".note.gnu.build-id" }
    package var hooksPrefix: String { "\(prefix).hooks." }

    /// A section of pointers to functions that the hypervisor calls.
    package struct Hook: Sendable, Equatable {
        /// The section's whole name: `.livepatch.hooks.load`.
        package var section: String
        /// Whether the section is an array of pointers; if not, it holds one.
        package var isArray: Bool
    }

    /// The hooks that the format has.
    package var hooks: [Hook] {
        guard takesHooksAndNOPs else { return [] }
        let arrays = ["load", "unload"].map { Hook(section: hooksPrefix + $0, isArray: true) }
        guard version >= 2 else { return arrays }
        return arrays
            + ["preapply", "apply", "postapply", "prerevert", "revert", "postrevert"].map { Hook(section: hooksPrefix + $0, isArray: false) }
    }

    /// Whether a hook can prevent a payload from being applied or reverted, or looks at the result of that. When there are such hooks, payloads
    /// can't replace each other (`has_payload_any_vetoing_hooks` of `xen/common/livepatch.c`, since 4.14).
    package static func isVetoing(hook name: String) -> Bool { ["preapply", "postapply", "prerevert", "postrevert"].contains(name) }

    /// Whether a hook takes the place of what the hypervisor does to apply or revert a payload. Afterwards the hypervisor stops itself unless all
    /// functions are marked as applied, or as reverted (`was_action_consistent` of `xen/common/livepatch.c`, since 4.14).
    package static func isAction(hook name: String) -> Bool { ["apply", "revert"].contains(name) }

    /// Whether a hook can refuse an action on its payload, before anything is done.
    package static func isRefusing(hook name: String) -> Bool { ["preapply", "prerevert"].contains(name) }

    /// Whether a hook is called when a payload is reverted, rather than when it is applied.
    package static func isForReverting(hook name: String) -> Bool { ["unload", "prerevert", "revert", "postrevert"].contains(name) }

    /// When the hypervisor calls a hook (`apply_payload`, `revert_payload` and `livepatch_do_action` of `xen/common/livepatch.c`, Xen 4.17);
    /// nil for a hook that no format has.
    package static func moment(hook name: String) -> String? {
        switch name {
        case "preapply": "when applying is asked for, before the processors wait; it can refuse"
        case "apply": "instead of the hypervisor's own applying, while all processors wait"
        case "load": "while all processors wait, before the functions are replaced"
        case "postapply": "after applying, when the processors run again"
        case "prerevert": "when reverting is asked for, before the processors wait; it can refuse"
        case "revert": "instead of the hypervisor's own reverting, while all processors wait"
        case "unload": "while all processors wait, after the functions are the hypervisor's own again"
        case "postrevert": "after reverting, when the processors run again"
        default: nil
        }
    }

    /// How many pointers the loader accepts in a hook's section; nil for a hook that the format does not have.
    ///
    /// - Parameter section: the section's whole name: `.livepatch.hooks.load`.
    package func hookLimit(section: String) -> Int? {
        hooks.first { $0.section == section }.map { $0.isArray ? .max : 1 }
    }

    /// Whether a payload must replace functions. Since v2, hooks alone are enough.
    package var needsFunctions: Bool { version < 2 }

    /// Whether an entry can say which bytes the hypervisor has to find before it replaces a function.
    package var hasExpectations: Bool { version >= 2 }

    /// Whether a payload with writable sections is refused when it is applied again after a revert (Xen 4.8 and later). Before, the payload
    /// is applied, and its variables keep the values that they had.
    package var refusesSecondApply: Bool { takesHooksAndNOPs }

    /// How many bytes of a function can become NOPs at most: LIVEPATCH_OPAQUE_SIZE.
    package static let maximumNOPs = 31

    /// Text about the payload that the host tool shows: `key=value`, each ended by a zero byte. Nil before v2.
    package var metadataSection: String? { version >= 2 ? Self.metadata : nil }
    /// Texts about the payload, each with a zero byte behind it.
    package static let metadata = ".modinfo"
    /// The texts in a section, each with a zero byte behind it.
    package static func texts(in section: [UInt8]) -> [String] { section.split(separator: 0).map { String(decoding: $0, as: UTF8.self) } }

    /// The longest file name without suffix and terminating NUL (XEN_LIVEPATCH_NAME_SIZE is 128 with it).
    package static let maximumNameLength = 127
}
