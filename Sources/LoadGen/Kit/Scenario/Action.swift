extension Scenario {
    /// One thing that an arrival can be.
    package enum Action: Hashable, Sendable {
        /// What a registry's clients do.
        case client(ClientAction)
        /// What its administrators ask.
        case management(ManagementQuestion)

        /// What it leaves in the registry, for clean-up to take away.
        var leaves: ContentPlan.Leaving {
            switch self {
            case .client(let action): action.traits.leaves
            case .management: .nothing
            }
        }

        /// Makes content that clean-up has to take away.
        package var makesContent: Bool { leaves != .nothing }

        /// Needs images to be there.
        package var needsImages: Bool { needs != .none }

        /// Asks the management API.
        package var managesAccounts: Bool {
            switch self {
            case .client: false
            case .management: true
            }
        }

        /// Can be done with images that nobody here made.
        var worksWithExisting: Bool { needs != .made && !makesContent }

        private var needs: ClientAction.Need {
            switch self {
            case .client(let action): action.traits.images
            case .management: .none
            }
        }
    }

    /// What a client of a registry does in one arrival.
    package enum ClientAction: String, CaseIterable, Sendable {
        /// GET of the URL's own path.
        case get
        /// A whole image: manifest, config, layers.
        case pull
        /// GET of a manifest by tag.
        case manifest
        /// HEAD of a manifest by tag.
        case headManifest = "head-manifest"
        /// GET of one layer.
        case blob
        /// HEAD of one layer.
        case head
        /// A new image: its blobs where missing, its manifest.
        case push
        /// A new image whose layers are mounted from another repository.
        case mount
        /// The first page of a repository's tags.
        case list
        /// The first page of the catalog.
        case catalog
        /// Referrers of an image.
        case referrers
        /// A small image pushed, pulled and deleted.
        case churn
        /// A client of its own logs in and pulls a whole image.
        case login

        /// What it needs, and what it leaves.
        var traits: (images: Need, leaves: ContentPlan.Leaving) {
            switch self {
            case .get, .catalog: (.none, .nothing)
            case .push: (.none, .pushed)
            case .churn: (.none, .churned)
            case .pull, .manifest, .headManifest, .blob, .head, .list, .login: (.any, .nothing)
            case .referrers: (.made, .nothing)
            case .mount: (.made, .mounted)
            }
        }

        /// Images that set-up sees to.
        enum Need {
            case none
            /// Images that are there, whoever made them.
            case any
            /// Images of which this program knows everything.
            case made
        }
    }
}

extension Scenario.Action: RawRepresentable, CaseIterable, Codable {
    /// The action of that name in a scenario; `nil` where there is none.
    package init?(rawValue: String) {
        if let action = Scenario.ClientAction(rawValue: rawValue) {
            self = .client(action)
        } else if let question = ManagementQuestion(rawValue: rawValue) {
            self = .management(question)
        } else {
            return nil
        }
    }

    /// Its name in a scenario.
    package var rawValue: String {
        switch self {
        case .client(let action): action.rawValue
        case .management(let question): question.rawValue
        }
    }

    /// All of both kinds.
    package static var allCases: [Scenario.Action] {
        Scenario.ClientAction.allCases.map(Scenario.Action.client)
            + ManagementQuestion.allCases.map(Scenario.Action.management)
    }
}
