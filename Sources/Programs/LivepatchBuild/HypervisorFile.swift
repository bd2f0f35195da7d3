import Diagnostics
import LoaderModel
import SystemPackage
import TargetArchitecture
import XenSource

/// A hypervisor file that exists already, as the options name it.
package struct HypervisorFile {
    /// `--xen-syms`.
    var xenSyms: String
    /// `-s`: the source tree, for a hypervisor whose version or payload format is not what its own code says.
    var source: String?

    package init(xenSyms: String, source: String?) { (self.xenSyms, self.source) = (xenSyms, source) }

    /// The hypervisor as read: its image, its processor, and its loader's behaviour.
    package struct Known {
        package var image: XenImage
        package var architecture: any TargetArchitecture
        package var loader: HypervisorLoader
    }

    /// Reads the file. With `-s`, the version and the payload format come from that tree.
    ///
    /// - Throws: `InputError`, `XenSourceError`; `UsageError` for a processor that this version doesn't know.
    package func read() throws -> Known {
        let image = try XenImage.read(FilePath(xenSyms))
        guard let architecture = Architectures.of(machine: image.machine) else {
            throw UsageError(
                "\(xenSyms): is for a processor that this version does not know (ELF machine \(image.machine))",
                help: "it knows \(Architectures.names)")
        }
        guard let source else {
            return Known(image: image, architecture: architecture, loader: try HypervisorLoader(of: image, architecture: architecture))
        }
        let tree = try recogniseTree(at: FilePath(source))
        return Known(image: image, architecture: architecture, loader: HypervisorLoader(version: tree.version, abi: tree.abi))
    }
}
