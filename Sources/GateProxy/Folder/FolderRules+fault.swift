import GateCore

extension FolderRules {
    /// What would keep its files from being served, for who checks a configuration: a sentence without a full stop. Asks the disk.
    package func fault() -> String? {
        let tree = FolderTree(root)
        do throws(FileFailure) { _ = try tree.openRoot() } catch { return "the folder \(root) cannot be opened: \(error)" }
        guard let fallback else { return nil }
        do throws(FileFailure) {
            let file = try tree.open(String(fallback.drop { $0 == "/" }), .patient)
            return try file.status().kind == .file ? nil : "\(fallback) in \(root) is no file"
        } catch {
            return "\(fallback) in \(root) cannot be opened: \(error)"
        }
    }
}
