import DebugInfo
import ELFModel
import PayloadLinker
import SystemPackage
import WorkFiles
import XenBuild
import XenSource
import XenVersions

/// How the running hypervisor and the objects here were built. Read only on demand, because only the explanation of an error needs it.
struct TraitsOfBoth {
    let image: XenImage
    let pairs: [ObjectPair]
    let configuration: KernelConfiguration
    private var running: BuildTraits?

    init(image: XenImage, pairs: [ObjectPair], configuration: KernelConfiguration) {
        self.image = image
        self.pairs = pairs
        self.configuration = configuration
    }

    mutating func likelyCause(of unequal: UnequalOriginal) -> LikelyCause {
        let there = running ?? hypervisorTraits()
        running = there
        return LikelyCause(of: unequal, running: there, here: traits(of: unequal))
    }

    /// Ignores a file that can't be read: the error to explain stays the same.
    private func hypervisorTraits() -> BuildTraits {
        var traits = image.buildTraits
        if traits.configuration == nil {
            let beside = image.path.removingLastComponent().appending(".config")
            traits.configuration = try? KernelConfiguration(contentsOf: beside)
        }
        for unit in (try? DebugInfo.CompilationUnit.all(in: image.path)) ?? [] {
            if let producer = unit.producer { traits.flags[unit.name] = BuildTraits.flags(inProducer: producer) }
        }
        return traits
    }

    private func traits(of unequal: UnequalOriginal) -> BuildTraits {
        var traits = BuildTraits(configuration: configuration)
        guard let path = pairs.first(where: { $0.name == unequal.objectName })?.original else { return traits }
        if let comment = try? ELFFile.read(path, debugSections: false).sections.first(where: { $0.name == SectionName.comment }) {
            traits.compilers = BuildTraits.compilers(inComment: comment.data)
        }
        if let producer = (try? DebugInfo.CompilationUnit.all(in: path))?.first?.producer {
            traits.flags[unequal.source] = BuildTraits.flags(inProducer: producer)
        }
        return traits
    }
}
