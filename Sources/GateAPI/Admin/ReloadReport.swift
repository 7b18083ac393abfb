/// What became of reading the configuration again.
package struct ReloadReport: Sendable {
    /// The paths of the settings that are other than before.
    package var changed: [String]
    /// The paths of those that are other in the configuration, and will be in force after a restart.
    package var needsRestart: [String]
    package var notices: [String]
    /// What is wrong, with its place and what to do; if there is anything, all is as it was.
    package var faults: [String]

    package init(changed: [String] = [], needsRestart: [String] = [], notices: [String] = [], faults: [String] = []) {
        self.changed = changed
        self.needsRestart = needsRestart
        self.notices = notices
        self.faults = faults
    }
}
