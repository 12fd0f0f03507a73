#!/bin/sh
# After a merge: fetches the plan that was reviewed with the pull request into gpup-plan.
#   fetch_plan.sh github|gitlab|azure|jenkins
# github:  GITHUB_TOKEN, and of the workflow GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_SHA
# gitlab:  GPUP_GITLAB_TOKEN, and of the job CI_API_V4_URL, CI_PROJECT_ID, CI_COMMIT_SHA
# azure:   SYSTEM_ACCESSTOKEN, and of the build SYSTEM_COLLECTIONURI, SYSTEM_TEAMPROJECTID, BUILD_REPOSITORY_ID,
#          SYSTEM_DEFINITIONID, BUILD_SOURCEVERSION
# jenkins: what github needs, with GITHUB_SHA=$GIT_COMMIT; JENKINS_AUTH (user:token), and of the build JENKINS_URL,
#          JOB_NAME of a multibranch project, whose pull requests are jobs PR-N
# Exit code: 6 where there is no such plan (nothing was approved), 1 where the platform cannot be asked.
set -eu
platform=$1

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
get() { # get FILE URL [ARGUMENT OF CURL...]: what stands there, in FILE
  into=$1
  shift
  status=$(curl --silent --show-error --location --retry 3 --header "@$room/header" --output "$into" \
    --write-out '%{http_code}' "$@") || status="no answer"
  case $status in
    2??) ;;
    404 | 410)
      echo "fetch_plan.sh: it is not there, or the token may not see it: $1: nothing was approved" >&2
      exit 6
      ;;
    *)
      echo "fetch_plan.sh: cannot be read ($status): $1" >&2
      exit 1
      ;;
  esac
}
pick() { # pick WHAT FILTER FILE: what the filter finds first
  picked=$(jq -r "first($2) // empty" "$3")
  [ -n "$picked" ] || {
    echo "fetch_plan.sh: there is no $1: nothing was approved" >&2
    exit 6
  }
}

github_pull() { # its number and its last commit
  printf 'Authorization: Bearer %s\nAccept: application/vnd.github+json\n' "$GITHUB_TOKEN" >"$room/header"
  repository=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY
  get "$room/pulls" "$repository/commits/$GITHUB_SHA/pulls"
  pick "merged pull request of commit $GITHUB_SHA" '.[] | select(.merged_at) | .number' "$room/pulls"
  number=$picked
  pick 'last commit of it' '.[] | select(.merged_at) | .head.sha' "$room/pulls"
  head=$picked
}

case $platform in
  github)
    github_pull
    get "$room/artifacts" "$repository/actions/artifacts?name=gpup-plan-$head&per_page=100"
    pick "plan of commit $head" ".artifacts | sort_by(.created_at) | reverse | .[]
      | select((.expired | not) and .workflow_run.head_sha == \"$head\") | .archive_download_url" "$room/artifacts"
    from=$picked
    ;;
  gitlab)
    printf 'Authorization: Bearer %s\n' "$GPUP_GITLAB_TOKEN" >"$room/header"
    project=$CI_API_V4_URL/projects/$CI_PROJECT_ID
    get "$room/merged" "$project/repository/commits/$CI_COMMIT_SHA/merge_requests"
    pick "merge request of commit $CI_COMMIT_SHA" '.[] | select(.state == "merged") | .iid' "$room/merged"
    get "$room/pipelines" "$project/merge_requests/$picked/pipelines"
    pick 'pipeline of it' '.[] | select(.source == "merge_request_event") | .id' "$room/pipelines"
    get "$room/jobs" "$project/pipelines/$picked/jobs"
    pick 'plan of its last pipeline' '.[] | select(.name == "gpup-plan" and .status == "success") | .id' "$room/jobs"
    from=$project/jobs/$picked/artifacts
    ;;
  azure)
    printf 'Authorization: Bearer %s\n' "$SYSTEM_ACCESSTOKEN" >"$room/header"
    project=$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECTID/_apis
    jq -n --arg commit "$BUILD_SOURCEVERSION" '{queries: [{type: "lastMergeCommit", items: [$commit]}]}' >"$room/query"
    get "$room/pulls" "$project/git/repositories/$BUILD_REPOSITORY_ID/pullrequestquery?api-version=7.1" --request POST \
      --header 'Content-Type: application/json' --data-binary "@$room/query"
    pick "completed pull request of commit $BUILD_SOURCEVERSION" \
      '.results[] | to_entries[] | .value[] | select(.status == "completed") | .pullRequestId' "$room/pulls"
    builds="$project/build/builds"
    get "$room/builds" "$builds?definitions=$SYSTEM_DEFINITIONID&branchName=refs/pull/$picked/merge&reasonFilter=pullRequest&queryOrder=queueTimeDescending&\$top=1&api-version=7.1"
    pick 'successful last build of it' '.value[] | select(.result == "succeeded") | .id' "$room/builds"
    get "$room/artifact" "$builds/$picked/artifacts?artifactName=gpup-plan&api-version=7.1"
    pick 'plan of that build' '.resource.downloadUrl' "$room/artifact"
    from=$picked
    ;;
  jenkins)
    github_pull
    printf 'Authorization: Basic %s\n' "$(printf %s "$JENKINS_AUTH" | base64 | tr -d '\n')" >"$room/header"
    job=$(printf %s "${JOB_NAME%/*}/PR-$number" | jq -sRr 'split("/") | map("job/" + @uri) | join("/")')
    from="${JENKINS_URL%/}/$job/lastSuccessfulBuild/artifact/gpup-plan/*zip*/gpup-plan.zip"
    ;;
  *)
    echo "fetch_plan.sh: no platform is called '$platform': github, gitlab, azure or jenkins" >&2
    exit 64
    ;;
esac

get "$room/plan.zip" "$from"
rm -rf gpup-plan
mkdir gpup-plan
# These two and nothing else, whatever folder they are in: an archive must not put anything beside them. One that is
# missing is told below.
unzip -q -j "$room/plan.zip" '*change.plan' '*plan.id' -d gpup-plan || true
for file in change.plan plan.id; do
  [ -s "gpup-plan/$file" ] || {
    echo "fetch_plan.sh: what the pull request left holds no $file: nothing was approved" >&2
    exit 6
  }
done
echo "fetched plan $(cat gpup-plan/plan.id)"
