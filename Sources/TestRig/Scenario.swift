import Diagnostics
import SystemPackage
import WorkFiles

/// What happens in the dom0 of one boot: files to have at hand, and shell commands to run one after the other.
public struct Scenario: Sendable, Equatable {
    /// One command, run by busybox's shell in `/payloads`, with standard input empty. Steps do not share variables.
    public struct Step: Sendable, Equatable {
        /// Names the step in the result: letters, digits, `_`, `.` and `-`; no two the same.
        public var id: String
        public var command: String

        public init(_ id: String, _ command: String) {
            self.id = id
            self.command = command
        }
    }

    /// The content of each file in `/payloads`, by its name there.
    public var files: [String: [UInt8]]
    public var steps: [Step]

    public init(files: [String: [UInt8]] = [:], steps: [Step] = []) {
        self.files = files
        self.steps = steps
    }

    /// Adds a step, at the end.
    public mutating func step(_ id: String, _ command: String) {
        steps.append(Step(id, command))
    }

    /// Takes the file at `path` along, under its own name or `name`. Throws `WorkFileError` when it can't be read.
    public mutating func take(_ path: FilePath, as name: String? = nil) throws {
        guard let name = name ?? path.lastComponent?.string else { throw RigError("\(path) names no file") }
        files[name] = try WorkFiles.read(path)
    }

    /// What Xen's host tool can be asked to do with a payload.
    public enum HostToolAction: String, Sendable, CaseIterable {
        /// Uploads `/payloads/NAME.livepatch` and applies it.
        case load
        case upload, apply, revert, replace, unload
    }

    /// Adds a step, at the end: `xen-livepatch` does `action` with the payload `name`, and again after a second, up to 20
    /// times, while the hypervisor says that it is busy. The step's exit code is that of the last attempt.
    ///
    /// Xen gives up when its processors have not all come together within 30 ms, which happens on a machine that emulates them
    /// and has other work; an operator tries again, too. Throws `RigError` for a name that the shell would not take as one word.
    public mutating func hostTool(_ id: String, _ action: HostToolAction, _ name: String) throws {
        guard !name.isEmpty, name.utf8.allSatisfy(Self.mayBeInID), !name.hasPrefix("-") else {
            throw RigError("'\(name)' can't name a payload here: letters, digits, '_', '.' and '-' only", exitCode: .usage)
        }
        let attempt =
            switch action {
            case .upload: "xen-livepatch upload \(name) \(name).livepatch"
            // A load that fails mostly takes the payload back, but not always.
            case .load:
                "if xen-livepatch list | grep -q '^ *\(name) '; then xen-livepatch apply \(name); "
                    + "else xen-livepatch load \(name).livepatch; fi"
            case .apply, .revert, .replace, .unload: "xen-livepatch \(action.rawValue) \(name)"
            }
        // 2 is the tool's word for "try again" (tools/misc/xen-livepatch.c, Xen 4.17); old ones end with EAGAIN or EBUSY itself.
        step(
            id,
            """
            attempts=0
            while :; do
                \(attempt)
                code=$?
                attempts=$((attempts + 1))
                case $code in
                    2 | 11 | 16) [ $attempts -lt 20 ] || exit $code ;;
                    *) exit $code ;;
                esac
                sleep 1
            done
            """)
    }

    /// The part of the initramfs that makes the dom0 run this scenario.
    ///
    /// Throws `RigError` for a step's id or a file's name that can't be one.
    func archive() throws -> [UInt8] {
        var archive = CpioArchive()
        var seen: Set<String> = []
        archive.addFolder("scenario")
        for (index, step) in steps.enumerated() {
            guard !step.id.isEmpty, step.id.utf8.allSatisfy(Self.mayBeInID) else {
                throw RigError("'\(step.id)' can't name a step: letters, digits, '_', '.' and '-' only", exitCode: .usage)
            }
            guard seen.insert(step.id).inserted else { throw RigError("two steps are named \(step.id)", exitCode: .usage) }
            // The shell runs them in the order of their names.
            let position = String(index + 100_000)
            archive.addFile("scenario/\(position)-\(step.id)", Array((step.command + "\n").utf8))
        }
        for (name, content) in files.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, name != ".", name != "..", !name.contains("/") else {
                throw RigError("'\(name)' can't name a file in /payloads", exitCode: .usage)
            }
            archive.addFile("payloads/\(name)", content)
        }
        return archive.finished()
    }

    private static func mayBeInID(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}
