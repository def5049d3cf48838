/// The switches of the stub's management API: each a fault, or what the table of faults calls allowed.
enum ManagementFault: String, CaseIterable, Sendable {
    // What it says of itself, and every answer.
    case documentLacksOperation, documentKnowsMore, statusUndocumented, bodyOfOtherForm, memberMore, requestIDMissing
    case problemTypePlain, problemCodeMissing, problemStatusOther, challengeMissing, allowMissing, methodIgnored
    case unknownPathFine, unknownMemberIgnored, unknownParameterIgnored, lengthsUnchecked, typesUnchecked
    case requiredUnchecked, patternsUnchecked, mediaTypeIgnored, fieldUntold, conditionalIgnored, conditionTagStays
    case anonymousReads, wrongPasswordTaken, keyHeaderIgnored
    // Users.
    case userCreatedTwice, userTakesOrganizationsName, userUnlisted, passwordInList, emailTwice, searchIgnored
    case disabledUserAsks, disabledUserPulls, disabledUsersKeyWorks, deletedUserStays, deletedUsersKeyWorks
    case nameInheritsMembership, nameInheritsPermission, nameInheritsKeys, lastOwnerDeleted, adminNeverGiven
    // Sessions.
    case unknownUserTold, refreshAgain, refreshKeepsSession, accessRefreshes, logoutKeepsSession, currentUnchecked
    case passwordKeepsSession, oldPasswordWorks, resetKeepsSession, sessionCacheable, meIsAnother, emailNoLogin
    // Keys.
    case secretInList, othersKeysListed, othersKeyDeleted, deletedKeyWorks, rotateKeepsOld, rotateKeepsOldForEver
    case rotateSameSecret, expiredKeyWorks, pastExpiryTaken, scopeIgnored, scopedKeyManages, scopeAdds, keysWithoutEnd
    // Organizations, members, teams, robots.
    case makerIsNobody, organizationTwice, othersOrganizationsListed, foreignToldFromAbsent, foreignIs403
    case fullOrganizationDeleted, confirmUnchecked, organizationInherits, lastOwnerRemoved, lastOwnerDemoted
    case adminMakesOwners, adminRemovesOwner, roleLate, removedMemberPulls, removedMemberStaysInTeam, teamTwice
    case outsiderJoinsTeam, teamPermissionStays, deletedTeamInherits, robotTwice, disabledRobotWorks, deletedRobotWorks
    case robotInheritsKeys
    // Invitations.
    case invitationUnlisted, invitationShownToOthers, invitationMakesMember, invitationAcceptedTwice
    case invitationRoleOther, invitationOfAnybody, invitationDeclinedByOthers, declinedInvitationWorks
    case withdrawnInvitationWorks, foreignInvitationWithdrawn, invitationOutlivesInviter, invitationPiles
    case adminInvitesOwners, memberInvitedAgain
    // Registration, codes, one's own address.
    case registrationMakesAdmin, registrationTakesName, registrationOffMakes, registrationCodeTaken, unknownResetTold
    case resetCodeTaken, emailPasswordUnchecked, emailOfOthersTaken, emailCodeTaken
    // Repositories and permissions.
    case repositoryTwice, countsWrong, bytesWrong, foreignRepositoriesListed, filterIgnored, visibilityLate
    case publicAsksLogin, deletedRepositoryPulled, restoreLosesTags, deletedNameFree, deletedUnlisted
    case permissionAdds, permissionNeverEnds, pushWithoutPull, whyEmpty, granteeUnchecked, permissionInherits
    // Content.
    case tagDigestOld, pushedByNobody, historyForgets, tagRestoreIdle, restoreTakesForeign, deletedTagStays
    case layersUntold, treeFlat, blobsUntold
    // Pages, audit, system.
    case cursorSkips, cursorRepeats, linkMissing, nextMissing, pageTooLong, listUnsorted, pageBoundsUnchecked
    case auditMissing, auditOfOthers, refusalUnaudited, auditFilterIgnored, secretInAudit, linesDiffer, statisticsStay
    case componentsNone, settingTellsSecret
    // The matrix.
    case readerPushes, readerChanges, developerDeletes, maintainerManages, adminOwns, outsiderSees, strangerManages
    case ownerIsRefused, narrowKeyPushes, absentToldToOutsider, managesAbsent, anonymousPulls, foreignMountTaken
    case organizationStays
}

/// The switches that are on.
struct ManagementFaults: Sendable {
    private let faults: Set<ManagementFault>

    init(_ faults: Set<ManagementFault>) { self.faults = faults }

    func has(_ fault: ManagementFault) -> Bool { faults.contains(fault) }
}
